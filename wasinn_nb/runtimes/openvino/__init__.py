"""OpenVINO: the default runtime."""
