"""A vision transformer that merges tokens, after the paper: Bolya et al., Token Merging: Your ViT But Faster
(arXiv 2210.09461), sections 3 and appendix D, in plain PyTorch.

After the attention of each layer the tokens at even places (A) look for the most similar one at odd places (B), by the cosine
of their keys averaged over heads; the r closest pairs are joined by averages weighted by size. The class token, at place 0, is not
merged. Attention is proportional: softmax(q·k/√d + log size). At the end each patch is given the token that stands for it.
"""

import torch
from torch.nn import functional

# Similarities that decide must differ by this much, lest rounding chooses otherwise.
LEAST_MARGIN = 2e-5


def merged_tokens(vision: dict, pixels: torch.Tensor, tensor, epsilon: float) -> torch.Tensor:
    """Image tokens [B N D] of pixels; tensor(name, *shape) gives the checkpoint's tensors."""
    width, patch, heads = vision["hidden"], vision["patch"], vision["heads"]
    prefix = "vision_model."
    count = (vision["image"] // patch) ** 2 + 1
    clip = vision.get("clip")

    def norm(x, name, epsilon=epsilon):
        return functional.layer_norm(x, (width,), tensor(name + ".weight", width), tensor(name + ".bias", width), epsilon)

    def linear(x, name, out, into):
        return functional.linear(x, tensor(name + ".weight", out, into), tensor(name + ".bias", out))

    bias = None if clip else tensor(prefix + "embeddings.patch_embedding.bias", width)
    patches = functional.conv2d(pixels, tensor(prefix + "embeddings.patch_embedding.weight", width, 3, patch, patch), bias, stride=patch)
    batch = pixels.shape[0]
    first = tensor(prefix + "embeddings.class_embedding", 1, 1, width).expand(batch, -1, -1)
    x = torch.cat([first, patches.flatten(2).transpose(1, 2)], dim=1) + tensor(prefix + "embeddings.position_embedding", 1, count, width)
    if clip:
        x = norm(x, prefix + "pre_layernorm")

    size = torch.ones(batch, count, 1)
    members = torch.eye(count).expand(batch, -1, -1)  # [B n N]: which tokens each row stands for
    for layer in range(vision["layers"]):
        name = f"{prefix}encoder.layers.{layer}."
        q, k, v = linear(norm(x, name + "layer_norm1"), name + "self_attn.qkv", 3 * width, width).reshape(
            batch, x.shape[1], 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) * (width // heads) ** -0.5 + size.log()[:, None, None, :, 0]
        context = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, -1, width)
        x = x + linear(context, name + "self_attn.projection", width, width)
        x, size, members = merge(x, size, members, k.mean(1), vision["merged"])
        hidden = linear(norm(x, name + "layer_norm2"), name + "mlp.fc1", vision["inner"], width)
        hidden = hidden * torch.sigmoid(1.702 * hidden) if clip else functional.gelu(hidden)
        x = x + linear(hidden, name + "mlp.fc2", width, vision["inner"])
    x = norm(x, prefix + "post_layernorm", vision.get("final_epsilon", epsilon))
    return members.transpose(1, 2) @ x


def merge(x, size, members, metric, r):
    """One step of bipartite soft matching over rows x [B n D]; metric [B n d]."""
    batch, count, _ = x.shape
    r = min(r, (count - 1) // 2)
    if r == 0:
        return x, size, members
    metric = metric / metric.norm(dim=-1, keepdim=True)
    similar = metric[:, 0::2] @ metric[:, 1::2].transpose(-1, -2)
    similar[:, 0] = -float("inf")  # the class token
    best, partner = similar.max(dim=-1)
    order = best.argsort(dim=-1, descending=True)
    ranked = best.gather(1, order)
    edge = ranked[:, r - 1] - ranked[:, r]  # between the last that is merged and the first that is not
    two = similar.topk(2).values
    chosen = (two[..., 0] - two[..., 1]).gather(1, order[:, :r])
    assert edge.min() > LEAST_MARGIN and chosen.min() > LEAST_MARGIN, "a tie makes a poor fixture; choose another seed"
    gone, kept = order[:, :r], order[:, r:].sort(dim=1).values
    target = partner.gather(1, gone)

    def join(values):
        a, b = values[:, 0::2], values[:, 1::2]
        rows = torch.arange(batch)[:, None]
        b = b.clone()
        b.index_put_((rows.expand_as(target), target), a[rows, gone], accumulate=True)
        return torch.cat([a[rows, kept], b], dim=1)

    sums, sizes = join(x * size), join(size)
    return sums / sizes, sizes, join(members)
