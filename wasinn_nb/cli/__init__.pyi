from .entry import main as main
from .exit_codes import ExitCode as ExitCode
from .program import app as app
