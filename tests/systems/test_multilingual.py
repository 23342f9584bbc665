"""Systems of one and of several languages, and what they are trained to make small."""

import importlib.util
import math

import numpy as np
import pytest
import torch

from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.learning.batches import Batch, Examples
from emonas.networks.contrastive import ContrastiveLoss
from emonas.networks.streams import Stream
from emonas.storage.genotype import ConnectionsGenotype
from emonas.systems.building import build_network, build_searched, count_parameters
from emonas.systems.data import FoldData
from emonas.systems.normalising import Normaliser
from emonas.systems.objective import learning_rates, make_objective
from emonas.systems.shapes import NetworkShape, classes_by_domain

SHAPE = NetworkShape(
    widths=(5, 8, 6),
    classes=4,
    names=("mfcc", "ge2e", "byol"),
    vectors=(False, True, True),
    domains={"english": (0, 1, 2), "german": (1, 3)},
)
SMALL = {
    "inputs": ["mfcc", "ge2e", "byol"],
    "size": 8,
    "encoder": {"channels": 3, "hidden": 2},
    "tower": 7,
}
GATED = {**SMALL, "selector": "ge2e"}
TABLES = {
    "english": ((True, False, True), (False, False, False), (True, True, True)),
    "german": ((False, False, True), (False, True, False), (False, False, False)),
}
GENOTYPE = ConnectionsGenotype(
    method="gates", beta=0.9, gamma=-0.1, delta=2.0, features=SHAPE.names, domains=TABLES
)


def options(kind, **values):
    gated = kind in ("omoe", "mmoe", "multi-gating")
    return kind_options("network", {"network": kind, **(GATED if gated else SMALL), **values})


def data(shape=SHAPE, count=40, seed=0):
    generator = np.random.default_rng(seed)
    domains = np.arange(count) % max(1, len(shape.domains))
    classes = list(shape.domains.values()) or [range(shape.classes)]
    labels = np.asarray([generator.choice(list(classes[d])) for d in domains])
    streams = tuple(
        [
            generator.standard_normal((1 if vector else n % 4 + 2, width)).astype("f4")
            for n in range(count)
        ]
        for width, vector in zip(shape.widths, shape.vectors, strict=True)
    )
    examples = Examples(streams, labels, domains if shape.domains else None)
    return FoldData(("a", "b", "c", "d")[: shape.classes], shape, examples, None, Normaliser())


def batch_of(found, domain):
    rows = np.flatnonzero(found.train.domains == domain)
    return found.train.take(rows).batch()


def lstm(width, hidden):
    return 2 * 4 * hidden * (width + hidden + 2)


def tower(width, units, classes):
    return width * units + units + units * units + units + units * classes + classes


SEQUENCE = (5 * 3 * 3 + 3) + (5 * 3 * 5 + 3) + lstm(3, 2) + 3 * 4 * 8
TOWERS = tower(8, 7, 3) + tower(8, 7, 2)
ENCODERS = SEQUENCE + (6 + 1) * 8  # ge2e is as wide as `size`, and left as it is


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("multilingual-base", ENCODERS + tower(8, 7, 4)),
        ("shared-bottom", ENCODERS + TOWERS),
        ("omoe", ENCODERS + TOWERS + 8 * 3),
        ("mmoe", ENCODERS + TOWERS + 2 * 8 * 3),
        ("multi-gating", ENCODERS + TOWERS + 2 * 8 * 3 + 6 * 64),
    ],
)
def test_weights_follow_the_paper(kind, wanted):
    """Six of nine connections are open in either language."""
    genotype = GENOTYPE if kind == "multi-gating" else None
    assert count_parameters(build_network(options(kind), genotype, SHAPE)) == wanted


def test_the_search_network_has_all_connections_and_its_gates_are_no_weights():
    network = build_searched(options("multi-gating"), GENOTYPE, SHAPE)
    assert count_parameters(network) == ENCODERS + TOWERS + 2 * 8 * 3 + 9 * 64
    assert [tuple(each.shape) for each in network.connections.log_kappas()] == [(3, 3)] * 2


def test_the_model_of_one_language_takes_vectors_as_they_are():
    network = build_network(options("language-specific"), None, ONE).eval()
    assert count_parameters(network) == SEQUENCE + tower(8 + 8 + 6, 7, 4)
    found = data(ONE)
    batch = found.train.batch()
    output = batch.through(network)
    given = torch.cat([batch.streams[1].frames[:, 0], batch.streams[2].frames[:, 0]], dim=1)
    assert torch.equal(output.embedding[:, 8:], given)
    with pytest.raises(EmonasError, match=r"learns one domain.*english, german"):
        build_network(options("language-specific"), None, SHAPE)


ONE = NetworkShape(SHAPE.widths, 4, SHAPE.names, SHAPE.vectors, {"": (0, 1, 2, 3)})


def test_each_tower_of_several_learns_by_its_own_loss():
    """Its gradient is a third of that of its own cross entropy."""
    torch.manual_seed(0)
    found, system = data(ONE), options("language-specific", members=3)
    network = build_network(system, None, ONE).train()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    batch = found.train.batch()
    objective = make_objective(system, found, network)
    loss = objective(batch.through(network), batch)
    for tower in network.towers:
        weights = list(tower.parameters())
        logits = tower(batch.through(network).embedding, 0)
        own = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, batch.labels), weights)
        got = torch.autograd.grad(loss, weights, retain_graph=True)
        for one, other in zip(got, own, strict=True):
            torch.testing.assert_close(one, other / 3)
    # Validation goes by what the towers say together.
    output = batch.through(network.eval())
    together = torch.nn.functional.nll_loss(output.logits, batch.labels)
    torch.testing.assert_close(objective.classification(output, batch), together)


def test_a_contrastive_loss_without_an_encoder_that_learns_is_refused():
    shape = NetworkShape((8, 6), 4, ("ge2e", "byol"), (True, True), {"": (0, 1, 2, 3)})
    system = options("language-specific", inputs=["ge2e", "byol"], encoders={})
    assert build_network(system, None, shape)
    with pytest.raises(EmonasError, match=r"contrastive: acts on what encoders learn, and ge2e, b"):
        build_network(system.model_copy(update={"contrastive": 0.1}), None, shape)


@pytest.mark.parametrize(
    "kind", ["multilingual-base", "shared-bottom", "omoe", "mmoe", "multi-gating"]
)
def test_the_loss_is_that_over_the_classes_of_the_domain(kind):
    """A loop over the utterances, with and without the contrastive loss, from the logits."""
    torch.manual_seed(0)
    found = data()
    genotype = GENOTYPE if kind == "multi-gating" else None
    domains = {"german": {"contrastive": 0.3}}
    made = options(kind, contrastive=0.0, domains=domains)
    network = build_network(made, genotype, SHAPE).eval()
    objective = make_objective(made, found, network)
    for domain, columns in enumerate(SHAPE.domains.values()):
        batch = batch_of(found, domain)
        output = batch.through(network)
        competing = range(4) if kind == "multilingual-base" else columns
        total = 0.0
        for row, label in zip(output.logits.tolist(), batch.labels.tolist(), strict=True):
            total -= math.log(math.exp(row[label]) / sum(math.exp(row[c]) for c in competing))
        plain = total / len(batch.labels)
        assert objective.classification(output, batch).item() == pytest.approx(plain, rel=1e-5)
        contrast = ContrastiveLoss()(output.embedding, batch.labels)
        assert contrast.emotions > 1
        wanted = plain + (0.3 * contrast.loss.item() if domain == 1 else 0.0)
        assert objective(output, batch).item() == pytest.approx(wanted, rel=1e-5)
    assert objective.facts() == {"contrastive_share": 1.0}
    # Of one emotion alone nothing is told apart.
    here = batch_of(found, 1)
    alone = here._replace(labels=here.labels[:1].expand_as(here.labels))
    objective(output, alone), objective(output, here)
    assert objective.facts() == {"contrastive_share": 0.5}
    assert objective.facts() == {"contrastive_share": 0.0}


def test_smoothed_labels_stay_within_the_domain():
    found = data()
    made = options("shared-bottom", training={"label_smoothing": 0.1})
    network = build_network(made, None, SHAPE).eval()
    objective, batch = make_objective(made, found, network), batch_of(found, 1)
    logits = batch.through(network).logits[:, [1, 3]]
    own = torch.tensor([[1, 3].index(label) for label in batch.labels.tolist()])
    wanted = torch.nn.functional.cross_entropy(logits, own, label_smoothing=0.1)
    assert objective(batch.through(network), batch).item() == pytest.approx(wanted.item(), rel=1e-6)


def test_class_weights_are_balanced_within_each_domain():
    found = data(count=60)
    made = options("shared-bottom", training={"class_weights": True})
    network = build_network(made, None, SHAPE).eval()
    objective = make_objective(made, found, network)
    for domain, columns in enumerate(SHAPE.domains.values()):
        batch = batch_of(found, domain)
        labels = batch.labels.tolist()
        weights = {c: len(labels) / (len(columns) * labels.count(c)) for c in columns}
        rows = batch.through(network).logits.tolist()
        total = sum(
            weights[label] * (math.log(sum(math.exp(row[c]) for c in columns)) - row[label])
            for row, label in zip(rows, labels, strict=True)
        )
        wanted = total / sum(weights[label] for label in labels)
        found_loss = objective(batch.through(network), batch).item()
        assert found_loss == pytest.approx(wanted, rel=1e-5)


def test_a_batch_without_enough_of_any_emotion_is_counted_and_adds_nothing():
    found = data(count=8)
    made = options("shared-bottom", contrastive=0.5)
    network = build_network(made, None, SHAPE)
    objective, batch = make_objective(made, found, network), batch_of(found, 0)
    output = batch.through(network)
    loss = objective(output, batch)
    assert loss.item() == objective.classification(output, batch).item()
    loss.backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())
    assert objective.facts() == {"contrastive_share": 0.0}


def test_what_is_left_out_of_a_domain_is_as_in_the_system():
    made = options("shared-bottom", contrastive=0.1, domains={"german": {"tower": 9}})
    assert made.of("german")._asdict() == {
        "tower": 9,
        "activations": ("mish", "gelu"),
        "contrastive": 0.1,
    }
    assert made.of("english").tower == 7
    network = build_network(made, None, SHAPE)
    assert [t.layers[0].out_features for t in network.towers[0].towers] == [7, 9]


def test_a_genotype_of_other_features_is_refused():
    other = GENOTYPE.model_copy(update={"features": ("mfcc", "ge2e", "other")})
    with pytest.raises(EmonasError, match=r"search again"):
        build_network(options("multi-gating"), other, SHAPE)


def test_the_selector_can_stand_apart_from_what_it_weighs():
    made = options("mmoe", gate_selector=False, beside=True)
    assert made.gated(SHAPE.names) == ("mfcc", "byol")
    network = build_network(made, None, SHAPE).eval()
    batch = batch_of(data(), 0)
    output = batch.through(network)
    assert output.gates.shape == (len(batch.labels), 2)
    assert torch.equal(output.embedding[:, 8:], batch.streams[1].frames[:, 0])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"selector": "nothing"}, "selector: nothing is to be named once"),
        ({"encoders": {"nothing": {}}}, "encoders names nothing"),
        ({"inputs": ["ge2e"], "gate_selector": False}, "leaves no feature to weigh"),
        (
            {"inputs": ["mfcc", {"feature": "ge2e", "layers": ["1", "2"]}]},
            "has several layers",
        ),
    ],
)
def test_options_that_do_not_fit_are_told(values, told):
    with pytest.raises(ValueError, match=told):
        options("mmoe", **values)


def test_the_classes_of_a_domain_are_those_that_occur_in_it():
    labels = ("sad", "sad", "angry", "happy", "sad")
    found = classes_by_domain("deedd", labels, ("angry", "happy", "sad"))
    assert found == {"d": (1, 2), "e": (0, 2)}


@pytest.mark.skipif(
    importlib.util.find_spec("resemblyzer") is None, reason="resemblyzer is not installed"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ge2e_can_be_trained_on_at_a_hundredth_of_the_rate():
    domains = {"de": (0, 1), "en": (0, 1)}
    shape = NetworkShape((1, 5), 2, ("waveform", "mfcc"), (False, False), domains)
    made = kind_options(
        "network",
        {
            **SMALL,
            "network": "mmoe",
            "inputs": [{"feature": "waveform", "normalise": "none"}, "mfcc"],
            "selector": "waveform",
            "encoders": {"waveform": {"speaker": True, "rate": 0.01}},
        },
    )
    network = build_network(made, None, shape)
    rates = learning_rates(made, shape, network)
    ours = set(network.encoders["0"].encoder.parameters())
    assert rates == dict.fromkeys(ours, 0.01)
    assert len(set(network.encoders["0"].parameters()) - ours) == 2  # from 256 to `size` is new
    generator = torch.Generator().manual_seed(1)
    streams = (
        Stream(torch.randn(3, 20000, 1, generator=generator), torch.tensor([20000, 9000, 15000])),
        Stream(torch.randn(3, 9, 5, generator=generator), torch.tensor([9, 4, 7])),
    )
    output = Batch(streams, torch.tensor([0, 1, 0]), 1).through(network)
    assert output.gates.shape == (3, 2)
    output.embedding.sum().backward()
    lstm = network.encoders["0"].encoder.lstm
    assert all(weight.grad.abs().sum() > 0 for weight in lstm.parameters())
    with pytest.raises(EmonasError, match="hears a waveform, and mfcc has 5 features"):
        build_network(
            made.model_copy(update={"encoders": {"mfcc": made.encoders["waveform"]}}), None, shape
        )
