"""The scenes by name, and `render`, which turns a name and a seed into a picture."""

from types import ModuleType

import numpy as np

from examples import (
    light,
    scene_clouds,
    scene_foliage,
    scene_still,
    scene_terrain,
    scene_text,
    scene_water,
)

SCENES: dict[str, ModuleType] = {
    "terrain": scene_terrain,
    "clouds": scene_clouds,
    "foliage": scene_foliage,
    "water": scene_water,
    "still": scene_still,
    "text": scene_text,
}


def render(
    scene: str, width: int, height: int, seed: int, samples: int = 1, seconds: float = 0.0
) -> np.ndarray:
    """Picture of 8 bits (height, width, 3), with `samples`² rays per pixel, at a moment."""
    if scene not in SCENES:
        raise ValueError(f"no scene {scene!r}; there are {', '.join(SCENES)}")
    if min(width, height) < 16:
        raise ValueError(f"{width}×{height} is too small; 16×16 is the least")
    look = SCENES[scene]
    radiance = look.linear(width * samples, height * samples, seed, seconds)
    if samples > 1:
        radiance = light.shrink(np.minimum(radiance, 6.0), samples)
    film = light.develop(radiance, look.EXPOSURE)
    return (np.clip(film, 0, 1) * 255 + 0.5).astype(np.uint8)
