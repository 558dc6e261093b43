"""Exporters: a Keras network into the artefacts that devices and runtimes take."""
