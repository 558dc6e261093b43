"""Single-operator models with random settings, and the runtimes that they are run on."""
