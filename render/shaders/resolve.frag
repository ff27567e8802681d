#version 330 core
// Average 2 x 2 samples in linear light, encode as sRGB, and lay the tiles one below another, top row first:
// what is read back is then (N, H, W, C) in memory.

uniform sampler2D samples;
uniform ivec2 tiles;
uniform int size;       // of one picture, pixels
uniform int gray;       // 1: write (gray, coverage); 0: write (r, g, b, coverage)

out vec4 pixel;

vec3 srgb_from_linear(vec3 c) {
    return mix(12.92 * c, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    int picture = at.y / size;
    ivec2 tile = ivec2(picture % tiles.x, picture / tiles.x);
    ivec2 inside = ivec2(at.x, size - 1 - at.y % size);
    ivec2 corner = 2 * (tile * size + inside);
    vec4 sum = vec4(0.0);
    for (int i = 0; i < 4; i++) {
        vec4 root = texelFetch(samples, corner + ivec2(i & 1, i >> 1), 0);
        sum += vec4(root.rgb * root.rgb, root.a);
    }
    vec4 mean = 0.25 * sum;
    vec3 encoded = srgb_from_linear(mean.rgb);
    pixel = gray == 1 ? vec4(dot(encoded, vec3(0.21, 0.72, 0.07)), mean.a, 0.0, 0.0) : vec4(encoded, mean.a);
}
