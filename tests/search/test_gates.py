"""Connections that learn to close (Multi-gating NAS, 4.3.2)."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emonas.errors import EmonasError
from emonas.kinds import kind_options
from emonas.learning.batches import Examples
from emonas.learning.resume import ResumePoint
from emonas.search.gate_penalty import PenalisedObjective
from emonas.search.methods.gates import Options, search
from emonas.search.outcome import SearchProblem
from emonas.systems.building import build_network, build_searched
from emonas.systems.data import FoldData
from emonas.systems.normalising import Normaliser
from emonas.systems.objective import make_objective
from emonas.systems.shapes import NetworkShape

CPU = torch.device("cpu")
DOMAINS = {"english": (0, 1), "german": (0, 1)}
SHAPE = NetworkShape((4, 4), 2, ("good", "noise"), (True, True), DOMAINS)
SYSTEM = {
    "network": "multi-gating",
    "inputs": ["good", "noise"],
    "selector": "good",
    "size": 4,
    "tower": 6,
    "training": {"epochs": 6, "batch": 8, "select": "last"},
}


def examples(count, seed):
    generator = np.random.default_rng(seed)
    labels, domains = np.arange(count) % 2, (np.arange(count) // 2) % 2
    good = [(generator.standard_normal((1, 4)) + 2 * y).astype("f4") for y in labels]
    noise = [generator.standard_normal((1, 4)).astype("f4") for _ in labels]
    return Examples((good, noise), labels, domains)


def problem(resume=None, **training):
    system = kind_options("network", {**SYSTEM, "training": {**SYSTEM["training"], **training}})
    data = FoldData(("angry", "sad"), SHAPE, examples(64, 1), examples(16, 2), Normaliser())
    torch.manual_seed(5)
    return SearchProblem(system, 3, CPU, resume or ResumePoint(), "fold0", data)


def log_kappa(found):
    """Of all domains, (domains, features, features)."""
    names = [f"connections.gates.{number}.log_kappa" for number in range(len(DOMAINS))]
    return np.stack([found.weights[name].double().numpy() for name in names])


def test_a_high_price_closes_everything_and_none_leaves_nearly_all_open():
    closed = search(Options(penalty=30.0, gate_rate=150.0), problem())
    assert not np.any(list(closed.genotype.domains.values()))
    free = search(Options(penalty=0.0, gate_rate=1.0), problem())
    assert np.all(list(free.genotype.domains.values()))


def test_the_genotype_is_what_the_settled_gates_leave_open():
    found = search(Options(penalty=0.5, gate_rate=100.0), problem())
    kappa = log_kappa(found)
    settled = np.clip(2.1 / (1 + np.exp(-kappa)) - 0.1, 0, 1)
    assert np.array_equal(np.asarray(list(found.genotype.domains.values())), settled > 0)
    assert tuple(found.genotype.domains) == ("english", "german")
    assert found.genotype.features == ("good", "noise")


def test_the_history_has_the_expected_open_connections_of_each_domain():
    found = search(Options(penalty=0.5), problem())
    kappa = log_kappa(found)
    wanted = (1 / (1 + np.exp(-(kappa - 0.9 * np.log(0.1 / 2.0))))).sum(axis=(1, 2))
    last = found.history[-1]
    assert (last["open_english"], last["open_german"]) == pytest.approx(tuple(wanted), rel=1e-5)
    assert last["open_english"] < found.history[0]["open_english"]


def test_the_price_is_that_of_the_batchs_domain():
    torch.manual_seed(0)
    here = problem()
    start = search(Options(), problem(epochs=1)).genotype
    network = build_searched(here.system, start, SHAPE).eval()
    own = make_objective(here.system, here.data, network)
    with torch.no_grad():
        network.connections.gates[1].log_kappa -= 2
    priced = PenalisedObjective(own, network.connections, 0.25, ("english", "german"))
    assert not list(priced.parameters())
    for domain in (0, 1):
        rows = np.flatnonzero(here.data.train.domains == domain)
        batch = here.data.train.take(rows).batch()
        output = batch.through(network)
        kappa = network.connections.gates[domain].log_kappa.detach().double().numpy()
        count = (1 / (1 + np.exp(-(kappa - 0.9 * np.log(0.05))))).sum()
        wanted = own(output, batch).item() + 0.25 * count
        assert priced(output, batch).item() == pytest.approx(wanted, rel=1e-5)
        assert priced.classification(output, batch).item() == own(output, batch).item()


def test_a_search_that_was_interrupted_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    whole = search(Options(), problem())
    point = ResumePoint(tmp_path / "point")
    calls = []
    keep = ResumePoint.save

    def stop(self, state, *more):
        keep(self, state, *more)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(ResumePoint, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        search(Options(), problem(point))
    monkeypatch.undo()
    again = search(Options(), problem(point))
    assert again.genotype == whole.genotype
    for name, weight in whole.weights.items():
        assert torch.equal(weight, again.weights[name]), name


def test_the_network_that_is_retrained_is_that_of_the_open_connections():
    """With gates of exactly 0 and 1 it gives what the searched network gives, for less."""
    here = problem()
    found = search(Options(penalty=0.5, gate_rate=100.0), here)
    opened = {
        "english": ((True, False), (False, False)),
        "german": ((True, True), (False, True)),
    }
    genotype = found.genotype.model_copy(update={"domains": opened})
    searched = build_searched(here.system, genotype, SHAPE).eval()
    searched.load_state_dict(found.weights)
    tables = torch.tensor(list(opened.values()))
    with torch.no_grad():
        for own, table in zip(searched.connections.log_kappas(), tables, strict=True):
            own.copy_(torch.where(table, 50.0, -50.0))
    derived = build_network(here.system, genotype, SHAPE).eval()
    state = {k: v for k, v in searched.state_dict().items() if not k.startswith("connections")}
    pairs = derived.connections.pairs
    weight = searched.connections.weight.detach()
    state["connections.weight"] = torch.stack([weight[i, :, j] for i, j in pairs])
    derived.load_state_dict(state)
    assert pairs == ((0, 0), (0, 1), (1, 1))
    for domain in (0, 1):
        rows = np.flatnonzero(here.data.train.domains == domain)
        batch = here.data.train.take(rows).batch()
        one, other = batch.through(searched), batch.through(derived)
        torch.testing.assert_close(one.logits, other.logits, rtol=1e-5, atol=1e-6)
        assert torch.equal(one.gates, other.gates)


def test_another_network_is_refused():
    system = kind_options("network", {**SYSTEM, "network": "mmoe"})
    with pytest.raises(EmonasError, match="network is mmoe; set network to multi-gating"):
        search(Options(), replace(problem(), system=system))
