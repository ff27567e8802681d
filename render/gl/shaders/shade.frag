#version 330 core
// Shade and average the 2 x 2 samples of a pixel, in linear light, and encode as sRGB. This is the whole formula:
//
//     radiance = albedo * (ambient * (1 + fill * n.l) + diffuse * visibility * soft(n.l)) + visibility * specular
//     soft(c)  = max(c, 0) averaged over c +- k
//              = (clamp(c + k, 0, 2 k))^2 / 4 k + max(c - k, 0)
//     pixel    = mean of the samples, of which those without a face are the background
//
// specular comes from face.frag. k is the width of the terminator, wider for red, which travels farther in skin. A gray
// picture must equal the luminance of the colour picture, so it uses red's k for red's part of the luminance and the
// other k for the rest.
//
// visibility is the share of a point's surroundings that the light reaches: a comparison with the four nearest texels
// of the shadow map, weighted by distance. Large pictures average 4 x 4 of these, because otherwise steps would be
// visible. Visibility is looked up at the depth of the pixel's nearest and of its farthest sample, shifted a little to
// either side. Each sample interpolates between the two by its depth. Thus a chin does not pass its light to the neck
// behind it. In a pixel that shows one surface, both lookups contribute. The map holds the depths of surfaces that face
// away from the light. No lit surface is close to those, so the bias matters only at the terminator.

uniform sampler2D surface;
#ifndef GRAY
uniform sampler2D sheen;
#endif
#ifdef SHADOWS
uniform sampler2D depths;
uniform sampler2DShadow shadow_map;
uniform vec2 shadow_tiles;      // 1 / (columns, rows) of the maps
uniform float shadow_texel;     // 1 / number of texels along a map's side
uniform vec2 bias;              // at n.l = 1, and how much more at 0; in the map's depth
uniform float apart;            // the 4 x 4 lookups of a fine shadow, in texels
#endif
#ifdef BACKGROUND
uniform sampler2D background;   // laid out as the target; sRGB, linear when it is looked up
#endif
uniform float fill;
uniform float diffuse;
uniform vec2 scatter;           // k of red, and of green and blue

const float FLAT = 0.0002;  // depths closer than this are one surface

flat in ivec2 corner;
flat in vec2 tile;
flat in float ambient;
in vec4 before_camera;
flat in vec4 with_depth;

#ifdef GRAY
layout(location = 0) out vec2 pixel;    // gray, coverage
#else
layout(location = 0) out vec4 pixel;    // r, g, b, coverage
#endif

SRGB_FROM_LINEAR

vec2 soft(float c) {
    vec2 bent = clamp(c + scatter, vec2(0.0), 2.0 * scatter);
    return bent * bent / (4.0 * scatter) + max(c - scatter, 0.0);
}

#ifdef SHADOWS
float visibility(float depth, float c, vec2 offset) {
    vec4 lit = before_camera + (2.0 * depth - 1.0) * with_depth;
    vec3 at = 0.5 + 0.5 * lit.xyz / lit.w;
    at.z -= bias.x + bias.y * (1.0 - c);
#ifdef FINE
    float reached = 0.0;
    for (int i = 0; i < 16; i++) {
        vec2 off = (vec2(i & 3, i >> 2) - 1.5) * apart * shadow_texel;
        vec2 beside = clamp(at.xy + off, shadow_texel, 1.0 - shadow_texel);
        reached += textureLod(shadow_map, vec3((tile + beside) * shadow_tiles, at.z), 0.0);
    }
    return reached / 16.0;
#else
    vec2 beside = clamp(at.xy + offset, shadow_texel, 1.0 - shadow_texel);
    return textureLod(shadow_map, vec3((tile + beside) * shadow_tiles, at.z), 0.0);
#endif
}
#endif

#ifdef BACKGROUND
vec3 behind(float samples) {
    return samples * texelFetch(background, ivec2(gl_FragCoord.xy), 0).rgb;
}
#endif

void main() {
    ivec2 first = 2 * (corner + ivec2(int(gl_FragCoord.x), -int(gl_FragCoord.y)));
    vec4 found[4];
    float covered = 0.0;
    for (int i = 0; i < 4; i++) {
        found[i] = texelFetch(surface, first + ivec2(i & 1, i >> 1), 0);
        covered += step(0.001, found[i].a);
    }
#ifdef SHADOWS
    float depth[4];
    float near = 1.0;
    float far = 0.0;
    for (int i = 0; i < 4; i++) {
        depth[i] = texelFetch(depths, first + ivec2(i & 1, i >> 1), 0).r;
        near = min(near, depth[i]);
        far = max(far, depth[i] * step(0.001, found[i].a));
    }
    vec2 cosines = vec2(0.0);
    vec2 weights = vec2(0.0001);
#endif
#ifdef GRAY
    float indirect = 0.0;
    vec2 direct = vec2(0.0);     // of near and of far samples
#else
    vec3 indirect = vec3(0.0);
    mat2x3 direct = mat2x3(0.0);
#endif
    for (int i = 0; i < 4; i++) {
        float c = 2.0 * found[i].a - 1.0;
#ifdef SHADOWS
        float share = clamp((depth[i] - near + 0.5 * FLAT) / (far - near + FLAT), 0.0, 1.0);
        vec2 nearness = vec2(1.0 - share, share);
        weights += step(0.001, found[i].a) * nearness;
        cosines += step(0.001, found[i].a) * nearness * c;
#else
        vec2 nearness = vec2(1.0, 0.0);
#endif
        vec2 lit = diffuse * soft(c);
#ifdef GRAY
        float albedo = found[i].r * found[i].r;
        indirect += albedo * (1.0 + fill * c);
        float root = found[i].b;
        direct += (albedo * mix(lit.y, lit.x, found[i].g) + root * root) * nearness;
#else
        vec3 albedo = found[i].rgb * found[i].rgb;
        float root = texelFetch(sheen, first + ivec2(i & 1, i >> 1), 0).r;
        indirect += albedo * (1.0 + fill * c);
        direct += outerProduct(albedo * lit.xyy + root * root, nearness);
#endif
    }
    vec2 visible = vec2(1.0);
#ifdef SHADOWS
    vec2 offset = vec2(0.35 * shadow_texel);
    visible.x = visibility(near, cosines.x / weights.x, offset);
    visible.y = visibility(far, cosines.y / weights.y, -offset);
#endif
#ifdef GRAY
    float sum = ambient * indirect + dot(direct, visible);
#ifdef BACKGROUND
    sum += dot(behind(4.0 - covered), LUMINANCE);
#endif
    float light = min(0.25 * sum, 1.0);
    pixel = vec2(srgb_from_linear(vec3(light)).r, 0.25 * covered);
#else
    vec3 sum = ambient * indirect + direct * visible;
#ifdef BACKGROUND
    sum += behind(4.0 - covered);
#endif
    vec3 light = min(0.25 * sum, 1.0);
    pixel = vec4(srgb_from_linear(light), 0.25 * covered);
#endif
}
