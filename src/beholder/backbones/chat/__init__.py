"""chat: any image-text model of the `transformers` library, rating by its next word.

The model is asked in its own chat template, the opening of the answer is put into its mouth, and
the logits of the level words at the next position are the answer. Only the last position goes
through the output head. torchvision is not needed.
"""

from beholder.backbones.chat.model import OPTIONS, Chat, load

__all__ = ["OPTIONS", "Chat", "load"]
