"""Data sets as arrays of levels: CIFAR's binary format and IDX, read and written, as images.h has them; pictures as PNG."""
import pathlib

import numpy as np
from PIL import Image

CIFAR = (3, 32, 32)
IMAGES_MAGIC, LABELS_MAGIC = 0x803, 0x801


def load(path):
    """Levels of N x channels x height x width, and N labels."""
    path = pathlib.Path(path)
    raw = np.fromfile(path, np.uint8)
    if "images-idx3" not in path.name:
        records = raw.reshape(-1, 1 + int(np.prod(CIFAR)))
        return records[:, 1:].reshape(-1, *CIFAR), records[:, 0]
    _, count, height, width = np.frombuffer(raw[:16].tobytes(), ">u4")
    labels = np.fromfile(path.with_name(path.name.replace("images-idx3", "labels-idx1")), np.uint8)[8:]
    return raw[16:].reshape(count, 1, height, width), labels


def inputs(levels):
    """What a network gets."""
    return levels.astype(np.float32) / np.float32(255)


def save(folder, name, levels, labels):
    """In the format that images of this shape have; returns the path to give. `labels`: one for each, or one for all."""
    count, channels, height, width = levels.shape
    labels = np.broadcast_to(np.asarray(labels, np.uint8), count)
    if (channels, height, width) == CIFAR:
        path = folder / f"{name}.bin"
        np.concatenate([labels[:, None], levels.reshape(count, -1)], 1).tofile(path)
        return path
    path = folder / f"{name}-images-idx3-ubyte"
    path.write_bytes(np.array([IMAGES_MAGIC, count, height, width], ">u4").tobytes() + levels.tobytes())
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(np.array([LABELS_MAGIC, count], ">u4").tobytes() + labels.tobytes())
    return path


def picture(levels):
    """Of channels x height x width."""
    return Image.fromarray(levels[0] if len(levels) == 1 else np.ascontiguousarray(levels.transpose(1, 2, 0)))


def levels_of(image):
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def save_png(path, levels):
    picture(levels).save(path, "PNG")


def load_png(path):
    with Image.open(path) as image:
        return levels_of(image)


def fitted(levels, shape):
    """Images of another data set in this shape: centered on black, gray as three equal planes."""
    count, channels, height, width = levels.shape
    out = np.zeros((count, channels, *shape[1:]), np.uint8)
    top, left = (shape[1] - height) // 2, (shape[2] - width) // 2
    out[:, :, top:top + height, left:left + width] = levels
    return np.repeat(out, shape[0], axis=1) if channels == 1 else out
