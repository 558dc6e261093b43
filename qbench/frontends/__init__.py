"""Front ends: what turns a waveform into the features that a network takes, here and on the device."""

from qbench.frontends.log_mel import WAKEWORD, LogMel

# By the name that is typed after --front-end.
FRONT_ENDS: dict[str, LogMel] = {WAKEWORD.name: WAKEWORD}

__all__ = ["FRONT_ENDS", "WAKEWORD", "LogMel"]
