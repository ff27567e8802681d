"""The refiner: shapes at every size, and equivariance up to rounding."""

import pytest
import torch

from dcign.network.equivariant import Weighted
from dcign.network.refiner import Refiner

SIGNS = torch.tensor([-1.0, 1, -1, 1, 1, 1])


def refiner(size: int, channels: int, mirror: bool) -> Refiner:
    made = Refiner(size, channels, SIGNS, mirror)
    generator = torch.Generator().manual_seed(0)
    for layer in made.modules():
        if isinstance(layer, Weighted):
            layer.initialise(2.8, generator)
    return made


def inputs(size: int, channels: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    pictures = torch.rand(2, 3, channels, size, size, generator=generator)
    return *pictures, torch.randn(3, 6, generator=generator), torch.rand(3, generator=generator)


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (47, 1), (64, 3), (150, 1)])
def test_a_mirrored_picture_with_a_mirrored_code_has_the_mirrored_velocity(size, channels):
    network = refiner(size, channels, mirror=True)
    moving, decoded, code, time = inputs(size, channels)
    with torch.no_grad():
        velocity = network(moving, decoded, code, time)
        mirrored = network(moving.flip(-1), decoded.flip(-1), SIGNS * code, time)
    assert velocity.shape == moving.shape
    assert velocity.std() > 0.1
    torch.testing.assert_close(mirrored, velocity.flip(-1), rtol=1e-4, atol=1e-4)


def test_a_plain_refiner_is_not_equivariant_and_sees_all_of_its_inputs():
    network = refiner(64, 1, mirror=False)
    moving, decoded, code, time = inputs(64, 1)
    with torch.no_grad():
        velocity = network(moving, decoded, code, time)
        assert not torch.allclose(network(moving.flip(-1), decoded.flip(-1), SIGNS * code, time), velocity.flip(-1))
        for other in ((1 - moving, decoded, code, time), (moving, 1 - decoded, code, time),
                      (moving, decoded, -code, time), (moving, decoded, code, time / 2)):  # fmt: skip
            assert not torch.allclose(network(*other), velocity)
