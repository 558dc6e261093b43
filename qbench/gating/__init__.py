"""The release gate: rules over a replay, each judged by the bad end of its 95 % interval."""
