"""From settings to jobs: what each rule of the workflow reads, and with which options.

A rule gets as `params` only the options that its job reads, so that changing others reruns nothing.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from emonas.kinds import kind_module, kind_name
from emonas.packages import ORIGINALS
from emonas.report.differences import Wanted, wanted_differences
from emonas.settings.cards import report_plan
from emonas.settings.code import code_digest
from emonas.settings.runnable import Runnable

Params = dict[str, Any]
_SELECTING = {
    *("corpora", "labels", "labels_of", "merge", "style", "language", "gender", "limit", "seed"),
    *("domain", "transfer"),
}
"""What of a protocol says which utterances and classes there are."""


class Plan(Runnable):
    """The jobs of a settings file."""

    def corpus_params(self, corpus: str) -> Params:
        """What reading a corpus depends on."""
        options = self.settings.corpora[corpus]
        modules = "emonas.corpora.job", kind_name("reader", options.reader)
        told = options.model_dump(mode="json", exclude={"licence"})
        return {"options": told, "code": code_digest(*modules)}

    def split_params(self, protocol: str) -> Params:
        """What the folds depend on: what may cross is the business of their audit."""
        options = self.settings.protocols[protocol]
        return {
            "options": options.model_dump(
                mode="json", by_alias=True, exclude={"allow", "transfer"}
            ),
            "code": code_digest("emonas.protocols.job"),
        }

    def transfer_params(self, protocol: str, corpus: str) -> Params:
        """What the utterances of another corpus depend on that the models are tested on."""
        options = self._protocol(protocol, [corpus])
        return {
            "options": options.model_dump(mode="json", by_alias=True, include=_SELECTING),
            "code": code_digest("emonas.protocols.transfer_job"),
        }

    def _protocol(self, protocol: str, transfers: Iterable[str]) -> Any:
        """A protocol's options with some of its transfers."""
        options = self.settings.protocols[protocol]
        kept = {corpus: options.transfer[corpus] for corpus in transfers}
        return options.model_copy(update={"transfer": kept})

    def audit_params(self, protocol: str) -> Params:
        """What the audit of the folds depends on."""
        options = self._protocol(protocol, self.transfers_of(protocol))
        return {
            "options": options.model_dump(mode="json", by_alias=True),
            "code": code_digest("emonas.protocols.audit_job"),
        }

    def feature_params(self, feature: str) -> Params:
        """What a feature depends on."""
        options = self.settings.features[feature]
        modules = "emonas.features.job", kind_name("extractor", options.extractor)
        return {
            "options": options.model_dump(mode="json"),
            "layers": self.layers_of(feature),
            **self.pretrained.identity(options),
            **(self._runtime() if options.uses_torch else {}),
            "code": code_digest(*modules),
        }

    def feature_digest(self, feature: str) -> str:
        """A digest of what a feature depends on, which its files carry."""
        text = json.dumps(self.feature_params(feature), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def feature_threads(self, feature: str) -> int:
        """Threads of an extraction: torch's, where it computes with torch."""
        uses_torch: bool = self.settings.features[feature].uses_torch
        return int(self.settings.runtime.torch_threads) if uses_torch else 1

    def feature_environment(self, feature: str) -> str:
        """The conda environment of an extraction: that of the original where it is to run."""
        backend = getattr(self.settings.features[feature], "backend", "")
        return f"../../envs/{backend if backend in ORIGINALS else 'emonas'}.yaml"

    def transcript_params(self, transcript: str) -> Params:
        """What a transcript depends on."""
        options = self.settings.transcripts[transcript]
        modules = "emonas.features.transcription", kind_name("recogniser", options.recogniser)
        return {
            "options": options.model_dump(mode="json"),
            **self.pretrained.identity(options),
            **self._runtime(),
            "code": code_digest(*modules),
        }

    def recognition_params(self) -> Params:
        """What error rates depend on besides the transcript."""
        return {"code": code_digest("emonas.evaluate.recognition")}

    def search_params(self, system: str) -> Params:
        """What a search depends on: of the system's options only those that the method reads."""
        options = self.settings.systems[system]
        method = kind_module("method", options.search.method)
        reads = None if method.READS_WHOLE_SYSTEM else {"network", "inputs", "normalise"}
        modules = "emonas.search.job", method.__name__, kind_name("network", options.network)
        return {
            "system": options.model_dump(mode="json", include=reads, exclude={"search", "refit"}),
            # Whether the network is retrained, and for how many folds one search serves, is the
            # business of those who use the genotype.
            "search": options.search.model_dump(mode="json", exclude={"retrain", "shared"}),
            **self._runtime(),
            "code": code_digest(*modules),
        }

    def train_params(self, system: str) -> Params:
        """What training depends on besides the genotype."""
        options = self.settings.systems[system]
        return {
            "system": options.model_dump(mode="json", exclude={"search"}),
            **self._runtime(),
            "code": code_digest("emonas.train.job", kind_name("network", options.network)),
        }

    def train_inflated_params(self, system: str) -> Params:
        """What training under habits that inflate scores depends on besides the genotype."""
        options = self.settings.systems[system]
        modules = "emonas.train.inflated", kind_name("network", options.network)
        return {**self.train_params(system), "code": code_digest(*modules)}

    def train_transfer_params(self, system: str) -> Params:
        """What a trained system's predictions for another corpus depend on besides its files."""
        options = self.settings.systems[system]
        modules = "emonas.train.transfer", kind_name("network", options.network)
        return {**self._stream_params(system), **self._runtime(), "code": code_digest(*modules)}

    def fuse_transfer_params(self, system: str) -> Params:
        """What a fused system's predictions for another corpus depend on besides its files."""
        return {
            **self.fuse_params(system),
            "code": self._fusion_code("emonas.fuse.transfer", system),
        }

    def _fusion_code(self, module: str, system: str) -> str:
        joint = self.joint_streams_of(system)
        networks = [kind_name("network", self.settings.systems[name].network) for name in joint]
        return code_digest(module, *networks)

    def fuse_params(self, system: str) -> Params:
        """What a fusion depends on besides its streams' files."""
        streams = self.joint_streams_of(system)
        return {
            "system": self.settings.systems[system].model_dump(mode="json"),
            "streams": {name: self._stream_params(name) for name in streams},
            **self._runtime(),
            "code": self._fusion_code("emonas.fuse.job", system),
        }

    def _stream_params(self, system: str) -> Params:
        options = self.settings.systems[system]
        return {
            "system": options.model_dump(mode="json", exclude={"search", "training"}),
            "searched": self.tests_searched(system),
        }

    def evaluate_params(self, protocol: str) -> Params:
        """What the metrics depend on besides the predictions."""
        options = self.settings.protocols[protocol]
        return {
            "pooled": options.pooled,
            "repeated": options.speaker_dependent,
            "code": code_digest("emonas.evaluate.job"),
        }

    def compare_params(self, protocol: str) -> Params:
        """What the comparisons of systems depend on besides the predictions."""
        return {
            "pooled": self.settings.protocols[protocol].pooled,
            "code": code_digest("emonas.evaluate.compare"),
        }

    @cached_property
    def differences(self) -> Wanted:
        """The systems whose figures under a protocol the report shows less those under another."""
        return wanted_differences(report_plan(self, "", ""))

    def differences_params(self, protocol: str) -> Params:
        """What the differences from other protocols depend on besides the predictions."""
        protocols = self.settings.protocols
        return {
            "pooled": {
                name: protocols[name].pooled for name in (protocol, *self.differences[protocol])
            },
            "code": code_digest("emonas.evaluate.differences"),
        }

    def measured_systems(self, protocol: str) -> list[str]:
        """The systems under a protocol whose speed is measured, which say of emotions something."""
        if not self.settings.speed:
            return []
        return [name for of, name in self.runs if of == protocol and self.tells_emotions(name)]

    def speed_params(self) -> Params:
        """What speeds depend on besides the trained systems.

        What writes an export has no part in them, and imports the report: to measure again takes
        weights that `keep` may have let go.
        """
        return {**self._runtime(), "code": code_digest("emonas.export.timing")}

    def best_params(self) -> Params:
        """What the choice of the weights that are kept depends on besides the predictions."""
        return {"code": code_digest("emonas.evaluate.best")}

    def report_params(self, settings_file: str, command: str) -> Params:
        """What the report depends on besides the results."""
        plan = report_plan(self, settings_file, command)
        return {
            "plan": plan.model_dump(mode="json"),
            "code": code_digest("emonas.report.job"),
        }

    def _runtime(self) -> Params:
        return {"runtime": self.settings.runtime.model_dump(mode="json")}

    def feature_paths(self, system: str, corpora: Iterable[str]) -> Params:
        """The same by feature and corpus, each feature with what its files must agree with."""
        named = list(corpora)
        return {
            feature: {
                "digest": self.feature_digest(feature),
                "checkpoint": self.pretrained.record_of(self.settings.features[feature]) or "",
                "corpora": {corpus: f"results/features/{corpus}/{feature}.h5" for corpus in named},
            }
            for feature in self.features_of(system)
        }
