#version 330 core
// Shade and average the 2 x 2 samples of a pixel, in linear light, and encode as sRGB. This is the whole formula:
//
//     radiance = albedo * (ambient * (1 + fill * n.l) + diffuse * visibility * soft(n.l)) + visibility * specular
//     soft(c)  = max(c, 0) averaged over c +- k
//              = (clamp(c + k, 0, 2 k))^2 / 4 k + max(c - k, 0)
//
// specular is face.frag's; k is the width of the terminator, wider for red, which goes farther in skin; ambient, diffuse
// and specular include the exposure. A gray picture is the luminance of the coloured one, exactly: luminance has red's
// share of red's k. visibility, one number a pixel, is the share of its surroundings that the light reaches: four
// lookups, each between four texels of the shadow map, around the pixel's nearest sample. The map holds the depths of
// what faces away from the light, which no lit surface is close to, so that bias matters at the terminator alone.

uniform sampler2D surface;
#ifndef GRAY
uniform sampler2D sheen;
#endif
#ifdef SHADOWS
uniform sampler2D depths;
uniform sampler2DShadow shadow_map;
uniform vec2 shadow_tiles;      // 1 / columns, rows of maps
uniform float shadow_texel;     // 1 / texels of a map's side
uniform vec2 bias;              // at n.l = 1, and how much more at 0; in the map's depth
#endif
uniform float ambient;
uniform float fill;
uniform float diffuse;
uniform vec2 scatter;           // k of red, and of green and blue

flat in ivec2 corner;
flat in vec2 tile;
in vec4 before_camera;
flat in vec4 with_depth;

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

vec2 soft(float c) {
    vec2 bent = clamp(c + scatter, vec2(0.0), 2.0 * scatter);
    return bent * bent / (4.0 * scatter) + max(c - scatter, 0.0);
}

#ifdef SHADOWS
float visibility(ivec2 first, float c) {
    float nearest = 1.0;
    for (int i = 0; i < 4; i++) nearest = min(nearest, texelFetch(depths, first + ivec2(i & 1, i >> 1), 0).r);
    vec4 lit = before_camera + (2.0 * nearest - 1.0) * with_depth;
    vec3 at = 0.5 + 0.5 * lit.xyz / lit.w;
    at.z -= bias.x + bias.y * (1.0 - c);
    float sum = 0.0;
    for (int i = 0; i < 4; i++) {
        vec2 beside = at.xy + shadow_texel * (vec2(i & 1, i >> 1) - 0.5) * 1.5;
        beside = clamp(beside, shadow_texel, 1.0 - shadow_texel);
        sum += textureLod(shadow_map, vec3((tile + beside) * shadow_tiles, at.z), 0.0);
    }
    return 0.25 * sum;
}
#endif

void main() {
    ivec2 first = 2 * (corner + ivec2(int(gl_FragCoord.x), -int(gl_FragCoord.y)));
    float covered = 0.0;
    float cosines = 0.0;
#ifdef GRAY
    float indirect = 0.0;
    float direct = 0.0;
#else
    vec3 indirect = vec3(0.0);
    vec3 direct = vec3(0.0);
#endif
    for (int i = 0; i < 4; i++) {
        vec4 found = texelFetch(surface, first + ivec2(i & 1, i >> 1), 0);
        float c = 2.0 * found.a - 1.0;
        float here = step(0.001, found.a);
        covered += here;
        cosines += here * c;
        vec2 lit = diffuse * soft(c);
#ifdef GRAY
        float albedo = found.r * found.r;
        indirect += albedo * (1.0 + fill * c);
        direct += albedo * mix(lit.y, lit.x, found.g) + found.b * found.b;
#else
        vec3 albedo = found.rgb * found.rgb;
        float root = texelFetch(sheen, first + ivec2(i & 1, i >> 1), 0).r;
        indirect += albedo * (1.0 + fill * c);
        direct += albedo * lit.xyy + root * root;
#endif
    }
#ifdef SHADOWS
    direct *= visibility(first, cosines / max(covered, 1.0));
#endif
#ifdef GRAY
    float light = min(0.25 * (ambient * indirect + direct), 1.0);
    pixel = vec2(srgb_from_linear(light), 0.25 * covered);
#else
    vec3 light = min(0.25 * (ambient * indirect + direct), 1.0);
    pixel = vec4(srgb_from_linear(light), 0.25 * covered);
#endif
}
