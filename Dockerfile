# dcign on a CPU: render, train, edit. Build: docker build -t dcign .
# Run: docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" dcign doctor
# Commands read and write in the mounted folder, as you: docs/scale.md, "In a container".
# For NVIDIA GPUs start from a CUDA image with Python 3.11 or later, and leave out the line that installs torch.
FROM python:3.13-slim-trixie

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
ARG EXTRAS=onnx,parquet,photos
RUN pip install --no-cache-dir -c /dcign/constraints.txt "/dcign[$EXTRAS]"

# Any user ID may run it: caches are in a home folder that everybody may write to, with the face model in it.
RUN useradd --create-home dcign && install -d -m 1777 /work
USER dcign
ENV HOME=/home/dcign USER=dcign
WORKDIR /work
RUN dcign face --seed 7 --out /tmp/face.png && rm /tmp/face.png && chmod -R a+rwX "$HOME"
ENTRYPOINT ["dcign"]
CMD ["--help"]
