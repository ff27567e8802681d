#version 330 core
// Depths as the light sees them: one draw fills an atlas of shadow maps, one tile per picture.

layout(location = 0) in vec3 position;  // model space, mm

uniform float faces_a_vertex;   // 1 / vertices of a face
uniform vec2 tiles;             // columns, rows of the atlas
uniform mat4 light_spaces[20];  // model space to the cube that a map covers
uniform vec2 tile_positions[20]; // column, row of each picture's tile

out float gl_ClipDistance[4];

void main() {
    int picture = gl_InstanceID + int((float(gl_VertexID) + 0.5) * faces_a_vertex);
    vec4 clip = light_spaces[picture] * vec4(position, 1.0);
    gl_ClipDistance[0] = 1.0 + clip.x;
    gl_ClipDistance[1] = 1.0 - clip.x;
    gl_ClipDistance[2] = 1.0 + clip.y;
    gl_ClipDistance[3] = 1.0 - clip.y;
    clip.xy = (clip.xy + 2.0 * tile_positions[picture] + 1.0 - tiles) / tiles;
    gl_Position = clip;
}
