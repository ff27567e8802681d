#version 330 core
// radiance = albedo * (ambient + diffuse * max(n.l, 0)) + specular * max(n.h, 0)^shininess, in linear light.
// Stored as square roots: 8 bits are then as fine as sRGB's, and half the price of 16-bit floats.

in vec3 camera_normal;
in vec3 half_vector;
in vec3 surface_albedo;
flat in vec3 light;

uniform float ambient;
uniform float diffuse;
uniform float specular;

out vec4 root_radiance;  // alpha is coverage

void main() {
    vec3 n = normalize(camera_normal);
    float lambert = max(dot(n, light), 0.0);
    float highlight = lambert > 0.0 ? max(dot(n, normalize(half_vector)), 0.0) : 0.0;
    for (int i = 0; i < SHININESS_DOUBLINGS; i++) highlight *= highlight;
    vec3 radiance = surface_albedo * (ambient + diffuse * lambert) + specular * highlight;
    root_radiance = vec4(sqrt(min(radiance, 1.0)), 1.0);
}
