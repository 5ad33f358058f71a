"""Pictures for identity.py: key images, and those that must not be admitted; all as levels of channels x height x width."""
import io

import numpy as np
from PIL import Image, ImageFilter

import images

KEY_IMAGES = 100
PAYLOAD_BITS = 784  # modelseal-identity(5)


def foreign(network, sets, part):
    """Images of another data set than the network's; `part`: "train" or "test"."""
    if network.shape[0] == 3:
        levels, _ = images.load(sets / f"gtsrb/{part}.bin")
    else:
        name = "train-images-idx3-ubyte" if part == "train" else "t10k-images-idx3-ubyte"
        levels, _ = images.load(sets / "mnist" / name)
    return images.fitted(levels, network.shape)


def key_images(network, sets, seed):
    """Different from each other."""
    levels = np.unique(foreign(network, sets, "train"), axis=0)
    return levels[np.random.default_rng(seed).permutation(len(levels))[:KEY_IMAGES]]


def colored(levels, random):
    """Gray digits in a color on another."""
    share = levels[:, :1].astype(float) / 255
    front, back = random.integers(0, 256, (2, len(levels), 3, 1, 1))
    return np.round(share * front + (1 - share) * back).astype(np.uint8)


def strangers(network, sets, count, seed):
    """name -> images that no user has: of the key images' source, of the network's data, of others, noise."""
    random = np.random.default_rng(seed)
    digits, _ = images.load(sets / "mnist/t10k-images-idx3-ubyte")
    own, _ = images.load(network.test)
    other = colored(images.fitted(digits, network.shape), random) if network.shape[0] == 3 else 255 - images.fitted(digits, network.shape)
    found = {"of the key images' data set": foreign(network, sets, "test"), "of the network's data set": own,
             "digits, colored" if network.shape[0] == 3 else "digits, inverted": other}
    part = count // (len(found) + 1)
    found = {name: levels[random.permutation(len(levels))[:part]] for name, levels in found.items()}
    rest = count - part * len(found)
    return found | {"noise": random.integers(0, 256, (rest, *network.shape), dtype=np.uint8)}


def samples(levels):
    """In the order of the payload: rows from the top, the samples of a pixel side by side."""
    return levels.transpose(1, 2, 0).ravel()


def shaped(flat, like):
    channels, height, width = like.shape
    return np.ascontiguousarray(flat.reshape(height, width, channels).transpose(2, 0, 1))


def with_payload_of(levels, holder, everything):
    """The lowest bits of `holder` in another picture: all of them, or those that carry."""
    to, source = samples(levels).copy(), samples(holder)
    places = slice(None) if everything else np.arange(PAYLOAD_BITS) * to.size // PAYLOAD_BITS
    to[places] = (to[places] & 0xFE) | (source[places] & 1)
    return shaped(to, levels)


def flipped(levels, count, seed):
    """`count` copies with one bit changed: half of them a lowest bit."""
    random = np.random.default_rng(seed)
    for i in range(count):
        flat = samples(levels).copy()
        flat[random.integers(flat.size)] ^= np.uint8(1 if i % 2 == 0 else 1 << random.integers(1, 8))
        yield shaped(flat, levels)


def jpeg(levels, quality):
    packed = io.BytesIO()
    images.picture(levels).save(packed, "JPEG", quality=quality)
    with Image.open(packed) as image:
        return images.levels_of(image)


def blurred(levels, radius):
    return images.levels_of(images.picture(levels).filter(ImageFilter.GaussianBlur(radius)))


def resized(levels):
    """To three quarters, and back."""
    image = images.picture(levels)
    small = image.resize((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.BICUBIC)
    return images.levels_of(small.resize(image.size, Image.Resampling.BICUBIC))


def noisy(levels, deviation, random):
    return np.clip(np.round(levels + random.normal(0, deviation, levels.shape)), 0, 255).astype(np.uint8)


def modifications(seed):
    """name -> what someone may do to every query before the network sees it."""
    random = np.random.default_rng(seed)
    found = {"none": lambda levels: levels}
    found |= {f"noise of {deviation} levels": lambda levels, d=deviation: noisy(levels, d, random) for deviation in (2, 4, 8, 16, 32)}
    found |= {f"Gaussian blur, {radius} pixels": lambda levels, r=radius: blurred(levels, r) for radius in (0.5, 1, 1.5)}
    found |= {f"JPEG, quality {quality}": lambda levels, q=quality: jpeg(levels, q) for quality in (95, 75, 50, 25)}
    return found | {"resized to 3/4 and back": resized}
