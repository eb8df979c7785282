"""One file per model. `registry` names them, `base` holds the protocol and `recommend`."""
