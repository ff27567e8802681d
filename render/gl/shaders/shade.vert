#version 330 core
// One instance per picture, a rectangle as wide as the face in it. The tiles of the atlas are laid one below another,
// top row first, so that the pixels that are read back are (N, H, W, C) in memory.

uniform int size;               // of one picture, pixels
uniform int pictures;           // in the target's height
uniform vec2 tile_positions[20]; // column, row of each picture's tile
uniform vec2 spans[20];         // left and right end of each face; 0 and 1 are the picture's
uniform float ambients[20];     // strength of the light from everywhere
uniform mat4 light_spaces[20];  // from a picture's clip space to the space of its shadow map

flat out ivec2 corner;          // of the tile's top left sample, minus this picture's position in the target
flat out vec2 tile;
flat out float ambient;
// A surface at depth z here is at before_camera + z * with_depth in the space of the shadow map.
out vec4 before_camera;
flat out vec4 with_depth;

void main() {
    vec2 span = spans[gl_InstanceID];
    vec2 at = vec2((gl_VertexID & 1) == 0 ? span.x : span.y, gl_VertexID >> 1);
    gl_Position = vec4(2.0 * at.x - 1.0, 2.0 * (float(gl_InstanceID) + at.y) / float(pictures) - 1.0, 0.0, 1.0);
    corner = ivec2(tile_positions[gl_InstanceID]) * size + ivec2(0, size * (gl_InstanceID + 1) - 1);
    tile = tile_positions[gl_InstanceID];
    ambient = ambients[gl_InstanceID];
    with_depth = light_spaces[gl_InstanceID][2];
    before_camera = light_spaces[gl_InstanceID] * vec4(2.0 * at.x - 1.0, 1.0 - 2.0 * at.y, 0.0, 1.0);
}
