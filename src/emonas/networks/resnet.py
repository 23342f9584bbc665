"""Residual networks of basic blocks (He et al. 2016), for images of time by features."""

from torch import Tensor, nn

from emonas.networks.streams import Output, Stream

_COLOURS = 3
"""The image is given three times: ResNet18 then has the paper's 11.18M weights (our reading)."""


class BasicBlock(nn.Module):
    """Two convolutions of 3 x 3 beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = (
            nn.Identity()
            if stride == 1 and inputs == outputs
            else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        )

    def forward(self, image: Tensor) -> Tensor:
        """(batch, inputs, time, features) to (batch, outputs, time / stride, features / stride)."""
        return nn.functional.relu(self.body(image) + self.shortcut(image))


class ResNet(nn.Module):
    """A stem, `blocks[i]` residual blocks of 64 * 2**i channels, mean pooling, a classifier."""

    def __init__(self, blocks: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(_COLOURS, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        stages: list[nn.Module] = []
        inputs = 64
        for stage, count in enumerate(blocks):
            outputs = 64 * 2**stage
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(BasicBlock(inputs, outputs, stride))
                inputs = outputs
        self.stages = nn.Sequential(*stages)
        self.classifier = nn.Linear(inputs, classes)

    def forward(self, stream: Stream) -> Output:
        """One stream of fixed length to logits and the pooled image."""
        image = stream.frames[:, None].expand(-1, _COLOURS, -1, -1)
        embedding = self.stages(self.stem(image)).mean(dim=(2, 3))
        return Output(self.classifier(embedding), embedding)
