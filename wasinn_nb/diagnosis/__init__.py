"""Why is this mask wrong?  From a tensor or an output back to the mistake that caused it."""

from wasinn_nb.diagnosis.candidates import Candidate
from wasinn_nb.diagnosis.diagnosing import diagnose
from wasinn_nb.diagnosis.output_alarms import Alarm, alarms
from wasinn_nb.diagnosis.remedies import Mistake
from wasinn_nb.diagnosis.result import Diagnosis, Remedy

__all__ = ["Alarm", "Candidate", "Diagnosis", "Mistake", "Remedy", "alarms", "diagnose"]
