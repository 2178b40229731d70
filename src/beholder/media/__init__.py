"""From files to upright sRGB pixels."""
