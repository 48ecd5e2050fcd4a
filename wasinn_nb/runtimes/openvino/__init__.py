"""OpenVINO: the default runtime."""

from wasinn_nb.runtimes.telemetry import without_telemetry

with without_telemetry():  # before a module of this package imports it
    import openvino  # noqa: F401
