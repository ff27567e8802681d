#version 330 core
// Geometry and surface at the middle of each pixel, without light: one draw fills a column of pictures.

layout(location = 0) in vec3 position;  // model space, mm
layout(location = 1) in vec3 normal;
layout(location = 2) in vec4 albedo;    // linear
layout(location = 9) in float part;     // its number
#ifdef TEXTURED
layout(location = 8) in vec2 uv;        // on the texture, downwards
#endif

const int SHARES = 3;           // vectors of four parts

uniform float faces_a_vertex;   // 1 / vertices of a face
uniform float pictures;         // in the column
uniform mat4 views[20];         // model space to camera space
uniform mat4 seen[20];          // model space to clip space

out vec3 camera_normal;
out float depth;                // mm along the camera's axis
flat out float part_number;
out vec4 shares[SHARES];        // of each part at this point, in the order of the parts
#ifdef TEXTURED
out vec3 texture_at;            // and the layer
#else
out vec3 surface_albedo;
#endif
out float gl_ClipDistance[4];

void main() {
    int face = int((float(gl_VertexID) + 0.5) * faces_a_vertex);
    int picture = gl_InstanceID + face;
    camera_normal = mat3(views[picture]) * normal;
    depth = -(views[picture] * vec4(position, 1.0)).z;
    part_number = part;
    for (int i = 0; i < SHARES; i++) {
        shares[i] = step(abs(vec4(0.0, 1.0, 2.0, 3.0) + 4.0 * float(i) - part), vec4(0.5));
    }
#ifdef TEXTURED
    texture_at = vec3(uv, float(face));
#else
    surface_albedo = albedo.rgb;
#endif
    vec4 clip = seen[picture] * vec4(position, 1.0);
    gl_ClipDistance[0] = clip.w + clip.x;
    gl_ClipDistance[1] = clip.w - clip.x;
    gl_ClipDistance[2] = clip.w + clip.y;
    gl_ClipDistance[3] = clip.w - clip.y;
    clip.y = (clip.y + (2.0 * float(picture) + 1.0 - pictures) * clip.w) / pictures;
    gl_Position = clip;
}
