"""Design studies: which thickness, NA, focus, exposure; thousands of instruments a minute."""
