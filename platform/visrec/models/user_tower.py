"""User tower: a user vector at every position of an event sequence.

Shape legend: B sequences, L positions, D item vector size, E input size of the encoder, H hidden size.
"""

import torch
from torch import Tensor, nn

from visrec.config import EVENT_KINDS, UserTowerConfig
from visrec.errors import ConfigError

NUM_TIME_BUCKETS = 40
"""Buckets of the time between two events: powers of two of a second, up to many years."""
_CONTEXT_DIM = 16
"""Size of the vectors of event kinds and of time buckets."""


class UserTower(nn.Module):
    """Causal sequence encoder: the user vector W h at position l depends on events 0 to l alone.

    Its inputs are the vectors of item, event kind and time since the previous event; the encoder is a GRU (GRU4Rec:
    Hidasi et al. 2016) or a causal transformer (SASRec: Kang and McAuley 2018). With `recency` each hidden unit is
    scaled by the time from event l to the request (latent cross: Beutel et al. 2018), at first by 1. With
    `mean_pooling` a linear map of the running mean of the item vectors is added.

    Sequences are padded on the right; padding never reaches an earlier position.

    Example:
        >>> tower = UserTower(UserTowerConfig(), dim=8)
        >>> zeros = torch.zeros(2, 5, dtype=torch.long)
        >>> tower(torch.zeros(2, 5, 8), zeros, zeros).shape
        torch.Size([2, 5, 8])
    """

    def __init__(self, config: UserTowerConfig, *, dim: int, temperature: float = 1.0) -> None:
        super().__init__()
        self.temperature = temperature
        # Names of modules are state-dict keys of stored checkpoints: `gaps` embeds the time since the previous event,
        # `waits` the time to the next one.
        reads_context = config.event_context and config.kind != "pooling"
        self.kinds = nn.Embedding(len(EVENT_KINDS), _CONTEXT_DIM) if reads_context else None
        self.gaps = nn.Embedding(NUM_TIME_BUCKETS, _CONTEXT_DIM) if reads_context else None
        num_inputs = dim + (2 * _CONTEXT_DIM if reads_context else 0)
        self.input_dropout = nn.Dropout(config.dropout)
        self.encoder = _encoder(config, num_inputs)
        self.waits = nn.Embedding(NUM_TIME_BUCKETS, config.hidden_dim) if config.recency else None
        if self.waits is not None:
            nn.init.zeros_(self.waits.weight)
        self.head: nn.Sequential | None = None
        if self.encoder is not None:
            self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.hidden_dim, dim))
        self.decay = 0.5 ** (1 / config.pooling_half_life) if config.pooling_half_life else 1.0
        self.half_life_hours = config.pooling_half_life_hours
        self.taste = nn.Linear(dim, dim, bias=False) if config.mean_pooling else None
        if self.taste is not None:
            nn.init.eye_(self.taste.weight)

    def forward(
        self,
        history_BLD: Tensor,
        kinds_BL: Tensor,
        time_since_previous_BL: Tensor,
        time_to_next_BL: Tensor | None = None,
    ) -> Tensor:
        """User vectors [B, L, D], W and temperature applied.

        Args:
            history_BLD: Item vectors of the events, oldest first.
            kinds_BL: Codes of the event kinds.
            time_since_previous_BL: Buckets of the time since the event before; see `time_buckets`.
            time_to_next_BL: Buckets of the time from each event to the request after it; only for `recency`.
        """
        if self.encoder is None or self.head is None:
            assert self.taste is not None, "a tower without a sequence encoder pools"
            pooled_BLD: Tensor = self.taste(self._pooled(history_BLD, time_since_previous_BL))
            return pooled_BLD / self.temperature
        parts = [history_BLD]
        if self.kinds is not None and self.gaps is not None:
            parts += [self.kinds(kinds_BL), self.gaps(time_since_previous_BL)]
        hidden_BLH = self.encoder(self.input_dropout(torch.cat(parts, dim=-1)))
        if self.waits is not None:
            assert time_to_next_BL is not None, "a model with recency needs the time to the next event"
            hidden_BLH = hidden_BLH * (1 + self.waits(time_to_next_BL))
        out: Tensor = self.head(hidden_BLH)
        if self.taste is not None:
            out = out + self.taste(self._pooled(history_BLD, time_since_previous_BL))
        return out / self.temperature

    def _pooled(self, history_BLD: Tensor, time_since_previous_BL: Tensor) -> Tensor:
        if self.half_life_hours is None:
            return _running_mean(history_BLD, self.decay)
        half_lives_BL = bucket_seconds(time_since_previous_BL) / (3600 * self.half_life_hours)
        return _running_mean(history_BLD, self.decay, half_lives_BL.to(history_BLD.dtype))


def _running_mean(history_BLD: Tensor, decay: float, half_lives_BL: Tensor | None = None) -> Tensor:
    """Running mean [B, L, D] of the events up to each position; an event weighs `decay` times the one after it.

    With `half_lives_BL`, the half-lives of time between each event and the one before it, also 2 ** -their sum.
    """
    if decay == 1.0 and half_lives_BL is None:
        counts_L1 = torch.arange(1, history_BLD.shape[1] + 1, device=history_BLD.device).unsqueeze(1)
        return history_BLD.cumsum(dim=1) / counts_L1
    place_L = torch.arange(history_BLD.shape[1], device=history_BLD.device)
    age_LL = place_L.unsqueeze(1) - place_L
    weights_LL = torch.where(age_LL >= 0, decay ** age_LL.clamp(min=0), 0.0).to(history_BLD.dtype)
    if half_lives_BL is None:
        return weights_LL / weights_LL.sum(dim=1, keepdim=True) @ history_BLD
    elapsed_BL = half_lives_BL.cumsum(dim=1)
    since_BLL = (elapsed_BL.unsqueeze(2) - elapsed_BL.unsqueeze(1)).clamp(min=0)
    weights_BLL = weights_LL * torch.exp2(-since_BLL)
    return weights_BLL / weights_BLL.sum(dim=2, keepdim=True) @ history_BLD


def time_buckets(times_ms: Tensor) -> Tensor:
    """Bucket of the time between each event and the one before, along the last axis; bucket 0 for the first event.

    Example:
        >>> time_buckets(torch.tensor([1000, 1000, 4000])).tolist()
        [0, 0, 2]
    """
    seconds = torch.diff(times_ms, dim=-1, prepend=times_ms[..., :1]).clamp(min=0).double() / 1000
    return torch.log2(seconds + 1).floor().long().clamp(max=NUM_TIME_BUCKETS - 1)


def _encoder(config: UserTowerConfig, num_inputs: int) -> nn.Module | None:
    if config.kind == "pooling":
        return None
    return (_Gru if config.kind == "gru" else _Transformer)(config, num_inputs)


def bucket_seconds(buckets: Tensor) -> Tensor:
    """Seconds in the middle of each bucket of `time_buckets`; 0 for bucket 0.

    Example:
        >>> bucket_seconds(torch.tensor([0, 2])).tolist()
        [0.0, 4.5]
    """
    return 1.5 * (torch.exp2(buckets.double()) - 1)


class _Gru(nn.Module):
    def __init__(self, config: UserTowerConfig, num_inputs: int) -> None:
        super().__init__()
        dropout = config.dropout if config.num_layers > 1 else 0.0
        self.gru = nn.GRU(num_inputs, config.hidden_dim, config.num_layers, batch_first=True, dropout=dropout)

    def forward(self, inputs_BLE: Tensor) -> Tensor:
        hidden_BLH: Tensor = self.gru(inputs_BLE)[0]
        return hidden_BLH


class _Transformer(nn.Module):
    def __init__(self, config: UserTowerConfig, num_inputs: int) -> None:
        super().__init__()
        if config.hidden_dim % config.num_heads:
            raise ConfigError(
                f"model.user.num_heads: expected a divisor of hidden_dim {config.hidden_dim}, got {config.num_heads}"
            )
        self.input = nn.Linear(num_inputs, config.hidden_dim)
        self.positions = nn.Parameter(torch.randn(config.max_length, config.hidden_dim) * 0.02)
        layer = nn.TransformerEncoderLayer(
            config.hidden_dim,
            config.num_heads,
            dim_feedforward=2 * config.hidden_dim,
            dropout=config.dropout,
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(layer, config.num_layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(config.hidden_dim)

    def forward(self, inputs_BLE: Tensor) -> Tensor:
        length = inputs_BLE.shape[1]
        hidden_BLH = self.input(inputs_BLE) + self.positions[:length]
        mask_LL = torch.ones(length, length, dtype=torch.bool, device=inputs_BLE.device).triu(1)
        out: Tensor = self.norm(self.layers(hidden_BLH, mask=mask_LL, is_causal=True))
        return out
