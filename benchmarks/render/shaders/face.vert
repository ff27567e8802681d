#version 330 core
// One draw fills a whole atlas: either one face in many instances, or many faces one after another in the
// vertex buffer. Each picture has its own view, light and tile. Software GL divides integers one by one, so
// nothing here does.

layout(location = 0) in vec3 position;  // model space, mm
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 albedo;    // linear

uniform float faces_a_vertex;   // 1 / vertices of a face
uniform vec2 tiles;             // columns, rows of the atlas
uniform mat4 projection;
uniform mat4 views[20];
uniform vec3 lights[20];        // camera space, towards the light
uniform vec2 places[20];        // column, row of each picture's tile

// Both are linear in the normal, so to interpolate them is to interpolate the normal without giving it unit length
// again: between vertices as close as a face's that is less than a level of brightness, and five numbers fewer.
out float normal_dot_light;
out float normal_dot_half;  // half way between light and eye
#ifdef GRAY
out float surface_albedo;   // luminance
#else
out vec3 surface_albedo;
#endif
out float gl_ClipDistance[4];

void main() {
    int picture = gl_InstanceID + int((float(gl_VertexID) + 0.5) * faces_a_vertex);
    mat4 view = views[picture];
    vec4 placed = view * vec4(position, 1.0);
    vec3 camera_normal = mat3(view) * normal;
    vec3 light = lights[picture];
    normal_dot_light = dot(camera_normal, light);
    normal_dot_half = dot(camera_normal, normalize(light - normalize(placed.xyz)));
#ifdef GRAY
    surface_albedo = dot(albedo.rgb, LUMINANCE);
#else
    surface_albedo = albedo.rgb;
#endif

    vec4 clip = projection * placed;
    gl_ClipDistance[0] = clip.w + clip.x;
    gl_ClipDistance[1] = clip.w - clip.x;
    gl_ClipDistance[2] = clip.w + clip.y;
    gl_ClipDistance[3] = clip.w - clip.y;
    clip.xy = (clip.xy + (2.0 * places[picture] + 1.0 - tiles) * clip.w) / tiles;
    gl_Position = clip;
}
