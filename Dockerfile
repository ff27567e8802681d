# dcign on a CPU: render, train, edit. Build: docker build -t dcign . Run: docker run --rm -v "$PWD:/work" dcign doctor
# For NVIDIA GPUs start from a CUDA image with Python 3.11 or later, and leave out the line that installs torch.
FROM python:3.12-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends libegl1 libgl1 libopengl0 libgl1-mesa-dri \
    && rm -rf /var/lib/apt/lists/*

# PyTorch first, without CUDA: its own layer, which changes rarely.
COPY constraints.txt /dcign/
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu \
    "$(grep '^torch==' /dcign/constraints.txt)"

COPY setup.cfg pyproject.toml cli.py LICENSE README.md /dcign/
COPY data /dcign/data
COPY facegen /dcign/facegen
COPY render /dcign/render
COPY dcign /dcign/dcign
RUN pip install --no-cache-dir -c /dcign/constraints.txt '/dcign[import,onnx,parquet]'

RUN useradd --create-home dcign
USER dcign
WORKDIR /work
ENTRYPOINT ["dcign"]
CMD ["--help"]
