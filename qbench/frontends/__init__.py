"""Front ends: what turns a waveform into the features that a network takes, here and on the device."""

from qbench.frontends.log_mel import WAKEWORD, LogMel
from qbench.frontends.mfcc import KEYWORDS, Mfcc

# By the name that is typed after --front-end.
FRONT_ENDS: dict[str, LogMel | Mfcc] = {each.name: each for each in (WAKEWORD, KEYWORDS)}

__all__ = ["FRONT_ENDS", "KEYWORDS", "WAKEWORD", "LogMel", "Mfcc"]
