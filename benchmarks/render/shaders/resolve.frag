#version 330 core
// Average 2 x 2 samples in linear light and encode as sRGB.

uniform sampler2D samples;

flat in ivec2 corner;

#ifdef GRAY
out vec2 pixel;         // gray, coverage
#else
out vec4 pixel;         // r, g, b, coverage
#endif

vec3 srgb_from_linear(vec3 c) {
    return mix(12.92 * c, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

float srgb_from_linear(float c) {
    return c < 0.0031308 ? 12.92 * c : 1.055 * pow(c, 1.0 / 2.4) - 0.055;
}

void main() {
    ivec2 first = 2 * (corner + ivec2(int(gl_FragCoord.x), -int(gl_FragCoord.y)));
#ifdef GRAY
    vec2 sum = vec2(0.0);
    for (int i = 0; i < 4; i++) {
        vec2 root = texelFetch(samples, first + ivec2(i & 1, i >> 1), 0).rg;
        sum += vec2(root.r * root.r, root.g);
    }
    pixel = vec2(srgb_from_linear(0.25 * sum.r), 0.25 * sum.g);
#else
    vec4 sum = vec4(0.0);
    for (int i = 0; i < 4; i++) {
        vec4 root = texelFetch(samples, first + ivec2(i & 1, i >> 1), 0);
        sum += vec4(root.rgb * root.rgb, root.a);
    }
    pixel = vec4(srgb_from_linear(0.25 * sum.rgb), 0.25 * sum.a);
#endif
}
