"""Muon for hidden matrices and AdamW for everything else, over float32 masters of a model that computes in bfloat16."""

import torch


@torch.no_grad()
def orthogonalise(gradients: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """The nearest semi-orthogonal matrices to a batch of matrices, by the quintic Newton-Schulz iteration.

    Coefficients: K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = gradients.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Optimizer:
    """Holds float32 masters, steps them, and copies them into a model that computes in another type.

    Parameters of one rule share one flat buffer (masters, gradients, moments), so that a step is a few large
    operations: many small ones are slow on a busy machine.
    """

    def __init__(self, model: torch.nn.Module, matrix_rate: float, other_rate: float, word_rate: float, weight_decay: float, dtype=torch.bfloat16):
        self.rates = {"matrix": matrix_rate, "other": other_rate, "word": word_rate}
        self.weight_decay = weight_decay
        self.vision_factor = 1.0  # of the matrix rate, for matrices of a pretrained vision encoder
        self.count = 0
        self.names: dict[str, list[str]] = {kind: [] for kind in self.rates}
        parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        for name, parameter in parameters.items():
            self.names[self.kind(name, parameter)].append(name)
        self.flat: dict[str, dict[str, torch.Tensor]] = {}
        self.masters: dict[str, torch.Tensor] = {}
        self.views: dict[str, dict[str, torch.Tensor]] = {"first": {}, "second": {}}
        self.gradients: dict[str, torch.Tensor] = {}
        self.row_masks: dict[str, torch.Tensor] = {}
        for kind, names in self.names.items():
            if not names:
                continue
            total = sum(parameters[n].numel() for n in names)
            device = parameters[names[0]].device
            flat = {part: torch.zeros(total, device=device) for part in ("master", "first", "second", "gradient")}
            flat |= {part: torch.zeros(total, device=device, dtype=dtype) for part in ("model", "model_gradient")}
            self.flat[kind] = flat
            offset = 0
            for name in names:
                parameter = parameters[name]
                span = slice(offset, offset + parameter.numel())
                offset += parameter.numel()
                view = lambda part: flat[part][span].view(parameter.shape)
                self.masters[name] = view("master")
                self.masters[name].copy_(parameter.data)
                self.views["first"][name], self.views["second"][name] = view("first"), view("second")
                self.gradients[name] = view("gradient")
                parameter.data = view("model")
                parameter.grad = view("model_gradient")
        self.publish()

    @staticmethod
    def kind(name: str, parameter: torch.Tensor) -> str:
        """Which rule a parameter follows."""
        if name.endswith("word_embeddings.weight"):
            return "word"
        return "matrix" if parameter.ndim == 2 and (".encoder.layer" in name or ".model.layers." in name) else "other"

    def freeze_rows(self, name: str, moving: torch.Tensor) -> None:
        """Lets only the rows of a word embedding move for which moving is true."""
        self.row_masks["word"] = moving[:, None].float().expand_as(self.masters[name]).reshape(-1)

    def state(self) -> dict:
        """Everything that resuming needs."""
        copy = lambda tensors: {n: t.clone() for n, t in tensors.items()}
        return {"masters": copy(self.masters), "first": copy(self.views["first"]), "second": copy(self.views["second"]), "count": self.count}

    def load(self, state: dict) -> None:
        """Continues from a saved state; tensors that only one side has are left alone."""
        for own, other in ((self.masters, state["masters"]), (self.views["first"], state["first"]), (self.views["second"], state["second"])):
            for name, value in other.items():
                if name in own and own[name].shape == value.shape:
                    own[name].copy_(value)
        self.count = state["count"]
        self.publish()

    def publish(self) -> None:
        """Copies the masters into the model."""
        for flat in self.flat.values():
            flat["model"].copy_(flat["master"])

    @torch.no_grad()
    def step(self, scale: float, clip: float = 1.0) -> float:
        """One update with all rates multiplied by scale; returns the gradient norm before clipping."""
        squares = 0.0
        for flat in self.flat.values():
            flat["gradient"].copy_(flat["model_gradient"])
            flat["model_gradient"].zero_()
            squares += flat["gradient"].square().sum().item()
        norm = squares**0.5
        if norm != norm or norm == float("inf"):
            return norm
        self.count += 1
        factor = min(1.0, clip / (norm + 1e-6))
        for kind, flat in self.flat.items():
            gradient = flat["gradient"]
            if kind == "matrix":
                self.matrix_step(flat, self.rates[kind] * scale)
                continue
            gradient *= factor
            if kind in self.row_masks:
                gradient *= self.row_masks[kind]
            flat["first"].lerp_(gradient, 0.1)
            flat["second"].lerp_(gradient.square_(), 0.02)
            size = (flat["second"] / (1 - 0.98**self.count)).sqrt_().add_(1e-8)
            flat["master"].addcdiv_(flat["first"], size, value=-self.rates[kind] * scale / (1 - 0.9**self.count))
        self.publish()
        return norm

    def matrix_step(self, flat: dict[str, torch.Tensor], rate: float) -> None:
        """Muon with Nesterov momentum; a packed qkv counts as three matrices."""
        flat["first"].mul_(0.95).add_(flat["gradient"])
        flat["gradient"].add_(flat["first"], alpha=0.95)
        flat["master"].mul_(1 - rate * self.weight_decay)
        groups: dict[tuple, list[tuple[torch.Tensor, torch.Tensor]]] = {}
        for name in self.names["matrix"]:
            parts = 3 if ".qkv." in name else 1
            factor = self.vision_factor if "vision_model." in name else 1.0
            for update, master in zip(self.gradients[name].chunk(parts), self.masters[name].chunk(parts)):
                groups.setdefault((*update.shape, factor), []).append((update, master))
        for (rows, columns, factor), members in groups.items():
            updates = orthogonalise(torch.stack([m[0] for m in members])) * (-factor * rate * 0.2 * max(rows, columns) ** 0.5)
            for (_, master), update in zip(members, updates):
                master.add_(update)
