#version 330 core
// Truth of the light in each pixel, averaged over the samples that show the face: visibility, and the highlight.
//
// The shadows of the picture (shade.frag) are made for speed: in small pictures a quarter of the triangles casts them
// into coarse texels. Here all triangles cast them into fine texels, and each sample is looked up at its own place.
//
// The map holds the surfaces that face away from the light, so a lit point is close to the map only at the terminator,
// where a triangle may face away although the interpolated normal does not. Moving the point a little away from the
// light leaves such a triangle dark, and no other. A point that faces away lies on the map itself. Its surface slopes, and a comparison with
// the four nearest texels would find some of them nearer to the light: stripes, whatever the bias. So such a point
// takes the most of four more comparisons around it. One of these is downhill, where its own surface is farther from
// the light. What is left is the shadow of other surfaces; that of its own is in soft(n.l).

uniform sampler2D surface;
#ifndef GRAY
uniform sampler2D sheen;
#endif
#ifdef SHADOWS
uniform sampler2D depths;
uniform sampler2DShadow shadow_map;
uniform vec2 shadow_tiles;      // 1 / (columns, rows) of the maps
uniform float shadow_texel;     // 1 / number of texels along a map's side
uniform vec2 bias;              // where n.l >= 0, and where it is less; in the map's depth
uniform float around;           // texels to the four comparisons of a point that faces away
#endif

flat in ivec2 corner;
flat in vec2 tile;
in vec4 before_camera;
flat in vec4 with_depth;

layout(location = 0) out vec2 reached;  // visibility; the highlight, encoded as sRGB

SRGB_FROM_LINEAR

#ifdef SHADOWS
float compared(vec3 at, vec2 texels) {
    vec2 beside = clamp(at.xy + texels * shadow_texel, shadow_texel, 1.0 - shadow_texel);
    return textureLod(shadow_map, vec3((tile + beside) * shadow_tiles, at.z), 0.0);
}

float visibility(vec4 from_camera, float depth, float c) {
    vec4 lit = from_camera + (2.0 * depth - 1.0) * with_depth;
    vec3 at = 0.5 + 0.5 * lit.xyz / lit.w;
    at.z -= c < 0.0 ? bias.y : bias.x;
    float most = compared(at, vec2(0.0));
    if (c < 0.0) {
        for (int i = 0; i < 4; i++) {
            most = max(most, compared(at, around * (2.0 * vec2(i & 1, i >> 1) - 1.0)));
        }
    }
    return most;
}
#endif

void main() {
    ivec2 first = 2 * (corner + ivec2(int(gl_FragCoord.x), -int(gl_FragCoord.y)));
#ifdef SHADOWS
    vec4 right = 0.25 * dFdx(before_camera);
    vec4 up = -0.25 * dFdy(before_camera);
#endif
    float covered = 0.0;
    float visible = 0.0;
    float highlight = 0.0;
    for (int i = 0; i < 4; i++) {
        ivec2 at = first + ivec2(i & 1, i >> 1);
        vec4 found = texelFetch(surface, at, 0);
        if (found.a < 0.001) {
            continue;
        }
        covered += 1.0;
#ifdef GRAY
        float root = found.b;
#else
        float root = texelFetch(sheen, at, 0).r;
#endif
        highlight += root * root;
#ifdef SHADOWS
        vec2 side = 2.0 * vec2(i & 1, i >> 1) - 1.0;
        float depth = texelFetch(depths, at, 0).r;
        visible += visibility(before_camera + side.x * right + side.y * up, depth, 2.0 * found.a - 1.0);
#else
        visible += 1.0;
#endif
    }
    reached.x = visible / max(covered, 1.0);
    reached.y = srgb_from_linear(vec3(highlight / max(covered, 1.0))).r;
}
