"""Libraries that a test needs inside the daemon."""

import shutil
import subprocess


def compile_library(directory, name, text, *libraries):
    """Compiles C into a shared library in a directory."""
    source = directory / f"{name}.c"
    source.write_text(text)
    compiler = next(name for name in ("cc", "clang") if shutil.which(name))
    result = directory / f"{name}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", result, source, *libraries], check=True,
                   timeout=60, capture_output=True)
    return result
