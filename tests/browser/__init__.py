"""The widgets in a real page: JupyterLab and Voila, driven through Chromium."""
