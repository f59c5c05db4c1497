"""Errors after which this process can no longer use its GPU."""

from trimtab.training.memory import is_out_of_memory

# How messages of CUDA and its libraries begin or what they contain, where torch raises a plain RuntimeError.
_MESSAGES = ("CUDA error", "CUBLAS_STATUS", "CUDNN_STATUS", "cuDNN error", "CUDA driver error")


class CaptureError(RuntimeError):
    """A training step could not be captured as a CUDA graph.

    The device's generator may still believe that a capture is under way, so that nothing that draws random
    numbers works any more in this process.
    """


def spoils_device(error: BaseException | None) -> bool:
    """Whether ``error``, or one that led to it, leaves this process without a usable GPU.

    After an illegal access or a failed assertion on the device, every later call of CUDA fails in the same
    way; a new process begins with a new context. Running out of memory spoils nothing, except in a capture.
    """
    while error is not None:
        if isinstance(error, CaptureError):
            return True
        if isinstance(error, RuntimeError) and not is_out_of_memory(error):
            kind = type(error).__name__
            if kind == "AcceleratorError" or any(text in str(error) for text in _MESSAGES):
                return True
        error = error.__cause__ or error.__context__
    return False
