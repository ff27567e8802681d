#version 330 core
// One draw fills a whole atlas, with one face in many instances or with many faces one after another in the vertex
// buffer. Each picture has its own view, light and tile. No integers are divided, because software GL divides them one
// by one.

layout(location = 0) in vec3 position;  // model space, mm
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 albedo;    // linear; and the row of the vertex's part in the table of gloss
#ifdef TEXTURED
layout(location = 8) in vec2 uv;         // on the texture, downwards
#endif

uniform float faces_a_vertex;   // 1 / vertices of a face
uniform vec2 tiles;             // columns, rows of the atlas
uniform vec4 lenses[20];        // of each projection: x of x, y of y, z of z, z of 1
uniform mat4 views[20];
uniform vec3 lights[20];        // camera space, towards the light
uniform vec2 tile_positions[20]; // column, row of each picture's tile
uniform vec3 gloss[16];         // of each part: strength of the broad and of the sharp highlight, 1 if it is strands

// Both are linear in the normal, so interpolating them equals interpolating the normal without normalising it again.
// Between vertices as close as a face's the error is below one level of brightness, and five numbers are saved.
out float normal_dot_light;
out float normal_dot_half;  // half way between light and eye
flat out vec2 strength;          // of the two highlights
#ifdef TEXTURED
out vec3 texture_at;        // and the layer
#else
#ifdef GRAY
out vec2 surface_albedo;    // luminance, and red's share of it
#else
out vec3 surface_albedo;
#endif
#endif
out float gl_ClipDistance[4];

void main() {
    int face = int((float(gl_VertexID) + 0.5) * faces_a_vertex);
    int picture = gl_InstanceID + face;
    mat4x3 view = mat4x3(views[picture]);
    vec3 placed = view * vec4(position, 1.0);
    vec3 camera_normal = mat3(view) * normal;
    vec3 light = lights[picture];
    vec3 middle = normalize(light - normalize(placed));
    normal_dot_light = dot(camera_normal, light);
    normal_dot_half = dot(camera_normal, middle);
    vec3 shine = gloss[int(albedo.a)];
    strength = shine.xy;
    // Strands reflect into a cone about themselves (Kajiya and Kay 1989). Here they run down the surface.
    // strand = up - n (n.up), of length sqrt(1 - (n.up)^2)
    float along = dot(view[1], middle) - normal_dot_half * normal.y;
    float across = sqrt(max(1.0 - along * along / max(1.0 - normal.y * normal.y, 0.01), 0.0));
    normal_dot_half = mix(normal_dot_half, across, shine.z);
#ifdef TEXTURED
    texture_at = vec3(uv, float(face));
#else
#ifdef GRAY
    vec3 weighted = albedo.rgb * LUMINANCE;
    float luminance = weighted.r + weighted.g + weighted.b;
    surface_albedo = vec2(luminance, weighted.r / max(luminance, 0.0001));
#else
    surface_albedo = albedo.rgb;
#endif
#endif

    vec4 lens = lenses[picture];
    vec4 clip = vec4(lens.x * placed.x, lens.y * placed.y, lens.z * placed.z + lens.w, -placed.z);
    gl_ClipDistance[0] = clip.w + clip.x;
    gl_ClipDistance[1] = clip.w - clip.x;
    gl_ClipDistance[2] = clip.w + clip.y;
    gl_ClipDistance[3] = clip.w - clip.y;
    clip.xy = (clip.xy + (2.0 * tile_positions[picture] + 1.0 - tiles) * clip.w) / tiles;
    gl_Position = clip;
}
