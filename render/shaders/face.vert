#version 330 core
// One draw fills a whole atlas: either one face in many instances, or many faces one after another in the
// vertex buffer. Each picture has its own view, light and tile.

layout(location = 0) in vec3 position;  // model space, mm
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 albedo;    // sRGB

uniform int vertices_a_face;
uniform ivec2 tiles;        // columns, rows of the atlas
uniform mat4 projection;
uniform mat4 views[20];
uniform vec3 lights[20];    // camera space, towards the light

out vec3 camera_normal;
out vec3 half_vector;     // between light and eye; not of unit length
out vec3 surface_albedo;    // linear
flat out vec3 light;
out float gl_ClipDistance[4];

vec3 linear_from_srgb(vec3 c) {
    return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c));
}

void main() {
    int picture = gl_InstanceID + gl_VertexID / vertices_a_face;
    mat4 view = views[picture];
    vec4 placed = view * vec4(position, 1.0);
    camera_normal = mat3(view) * normal;
    surface_albedo = linear_from_srgb(albedo.rgb);
    light = lights[picture];
    half_vector = light - normalize(placed.xyz);

    vec4 clip = projection * placed;
    gl_ClipDistance[0] = clip.w + clip.x;
    gl_ClipDistance[1] = clip.w - clip.x;
    gl_ClipDistance[2] = clip.w + clip.y;
    gl_ClipDistance[3] = clip.w - clip.y;
    vec2 tile = vec2(picture % tiles.x, picture / tiles.x);
    vec2 grid = vec2(tiles);
    clip.xy = (clip.xy + (2.0 * tile + 1.0 - grid) * clip.w) / grid;
    gl_Position = clip;
}
