#version 330 core
// A rectangle a picture, in instances: the tiles of the atlas are laid one below another, top row first, so that
// what is read back is (N, H, W, C) in memory.

uniform int size;           // of one picture, pixels
uniform int pictures;       // in the target's height
uniform vec2 places[20];    // column, row of each picture's tile

flat out ivec2 corner;      // of the tile's top left sample, less this picture's place in the target

void main() {
    vec2 at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    gl_Position = vec4(2.0 * at.x - 1.0, 2.0 * (float(gl_InstanceID) + at.y) / float(pictures) - 1.0, 0.0, 1.0);
    corner = ivec2(places[gl_InstanceID]) * size + ivec2(0, size * (gl_InstanceID + 1) - 1);
}
