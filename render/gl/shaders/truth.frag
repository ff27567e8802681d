#version 330 core
// Geometry and surface at the middle of each pixel; zeros where there is no face. A point of a triangle belongs to the
// part of its nearest corner, the one with the largest share. There are at most twelve parts (MOST_PARTS).

const int SHARES = 3;

in vec3 camera_normal;
in float depth;
flat in float part_number;
in vec4 shares[SHARES];         // of the first twelve parts
#ifdef TEXTURED
in vec3 texture_at;
uniform sampler2DArray paint;   // sRGB, linear when it is looked up
#else
in vec3 surface_albedo;
#endif

layout(location = 0) out vec4 geometry; // unit normal, depth
layout(location = 1) out vec4 surface;  // albedo encoded as sRGB, (1 + number of the part) / 255

SRGB_FROM_LINEAR

void main() {
#ifdef TEXTURED
    vec3 surface_albedo = texture(paint, texture_at).rgb;
#endif
    float most = 0.0;
    float part = part_number;
    for (int i = 0; i < 4 * SHARES; i++) {
        if (shares[i / 4][i % 4] > most) {
            most = shares[i / 4][i % 4];
            part = float(i);
        }
    }
    geometry = vec4(normalize(camera_normal), depth);
    surface = vec4(srgb_from_linear(surface_albedo), (part + 1.0) / 255.0);
}
