"""Write piqe_reference.csv with the scores of the package pypiqe; see SOURCE.md.

Run in an environment that has pypiqe and scikit-image: ``python make_piqe_reference.py``.
"""

import csv
from importlib.metadata import version
from pathlib import Path

import numpy as np
from skimage import data


def with_hash_noise(image, amplitude):
    """Return the image plus whole numbers up to the amplitude from a fixed hash of the index."""
    row, column = np.indices(image.shape, dtype=np.uint64)
    state = row * np.uint64(2654435761) + column * np.uint64(40503) + np.uint64(12345)
    state ^= state >> np.uint64(13)
    state = (state * np.uint64(1274126177)) & np.uint64(0xFFFFFFFF)
    state ^= state >> np.uint64(16)
    noise = (state % np.uint64(2 * amplitude + 1)).astype(np.int64) - amplitude
    return np.clip(image.astype(np.int64) + noise, 0, 255).astype(np.uint8)


def box_blurred(image, side):
    """Return the integer mean over side x side pixels, borders replicated."""
    half = side // 2
    padded = np.pad(image.astype(np.int64), half, mode="edge")
    rows, columns = image.shape
    total = sum(padded[i : i + rows, j : j + columns] for i in range(side) for j in range(side))
    return (total // side**2).astype(np.uint8)


def images():
    """Return the named 8-bit images that the scores belong to."""
    camera, coins, moon = data.camera(), data.coins(), data.moon()
    return {
        "camera": camera,
        "coins": coins,
        "moon": moon,
        "brick": data.brick(),
        "grass": data.grass(),
        "page": data.page(),
        "camera_odd_crop": camera[40:341, 25:478],
        "camera_dim": (camera // 2).astype(np.uint8),
        "camera_noise_12": with_hash_noise(camera, 12),
        "camera_noise_40": with_hash_noise(camera, 40),
        "camera_box_5": box_blurred(camera, 5),
        "camera_box_9": box_blurred(camera, 9),
        "coins_noise_20": with_hash_noise(coins, 20),
        "moon_box_3": box_blurred(moon, 3),
        "uniform": np.full((48, 80), 128, np.uint8),
    }


def main():
    """Score every image and write the table."""
    from pypiqe import piqe

    path = Path(__file__).with_name("piqe_reference.csv")
    with path.open("w", newline="") as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(
            ["image", "rows", "columns", "score", "active_px", "artifact_px", "noise_px"]
        )
        for name, image in images().items():
            score, artifacts, noise, active = piqe(image)
            counts = [int(mask.sum()) for mask in (active, artifacts, noise)]
            table.writerow([name, *image.shape, repr(float(score)), *counts])
    print(path, version("pypiqe"))


if __name__ == "__main__":
    main()
