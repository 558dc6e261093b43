"""The stages: each is one function from artefact folders to an artefact folder."""
