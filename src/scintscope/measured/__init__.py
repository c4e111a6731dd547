"""Restoration of measured images: files in, restored images, numbers and a report out.

Knows no forward physics: what it needs of the instrument is the size of a pixel.
"""

from scintscope.measured.files import Measurement, read_measurement
from scintscope.measured.numbers import measured_numbers
from scintscope.measured.restore import restore_files

__all__ = ["Measurement", "measured_numbers", "read_measurement", "restore_files"]
