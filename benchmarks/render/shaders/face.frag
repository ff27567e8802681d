#version 330 core
// radiance = albedo * (ambient + diffuse * max(n.l, 0)) + specular * max(n.h, 0)^shininess, in linear light.
// Stored as square roots: 8 bits are then as fine as sRGB's, and half the price of 16-bit floats. Gray pictures
// are shaded as luminance from the start: one channel costs two thirds of three.

in float normal_dot_light;
in float normal_dot_half;
#ifdef GRAY
in float surface_albedo;
out vec2 root_radiance;  // luminance, coverage
#else
in vec3 surface_albedo;
out vec4 root_radiance;  // r, g, b, coverage
#endif

uniform float ambient;
uniform float diffuse;
uniform float specular;

void main() {
    float lambert = max(normal_dot_light, 0.0);
    float highlight = lambert > 0.0 ? max(normal_dot_half, 0.0) : 0.0;
    for (int i = 0; i < SHININESS_DOUBLINGS; i++) highlight *= highlight;
#ifdef GRAY
    float radiance = surface_albedo * (ambient + diffuse * lambert) + specular * highlight;
    root_radiance = vec2(sqrt(min(radiance, 1.0)), 1.0);
#else
    vec3 radiance = surface_albedo * (ambient + diffuse * lambert) + specular * highlight;
    root_radiance = vec4(sqrt(min(radiance, 1.0)), 1.0);
#endif
}
