#version 330 core
// Geometry and surface of what is seen; zeros where nothing is. Of the parts of a triangle's corners a place has that of
// the nearest, the one with the largest share. There are twelve parts at most (MOST_PARTS).

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

vec3 srgb_from_linear(vec3 c) {
    return mix(12.92 * c, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

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
