#version 330 core
// The numbers that shade.frag needs about each sample, 8 bits each. shade.frag does most of the work, once per pixel,
// because on software GL a triangle of nine samples costs as much here as one of sixty.
//
//     light code   (1 + n.l) / 2 in 1/255 .. 1; 0 where there is no face
//     specular     root of: (broad * max(n.h, 0)^16 + sharp * max(n.h, 0)^128) * clamp(4 n.l, 0, 1)
//     albedo       roots of linear r, g, b; in gray pictures the root of luminance, and red's share of it

in float normal_dot_light;
in float normal_dot_half;
flat in vec2 strength;
#ifdef TEXTURED
in vec3 texture_at;
uniform sampler2DArray paint;   // sRGB, linear when it is looked up
#else
#ifdef GRAY
in vec2 surface_albedo;
#else
in vec3 surface_albedo;
#endif
#endif
#ifdef GRAY
layout(location = 0) out vec4 surface;   // root of luminance, red's share, specular, light code
#else
layout(location = 0) out vec4 surface;   // roots of r, g, b; light code
layout(location = 1) out float sheen;    // specular
#endif

void main() {
#ifdef TEXTURED
    vec3 surface_albedo = texture(paint, texture_at).rgb;
#ifdef GRAY
    vec3 weighted = surface_albedo * LUMINANCE;
    surface_albedo.x = weighted.r + weighted.g + weighted.b;
    surface_albedo.y = weighted.r / max(surface_albedo.x, 0.0001);
#endif
#endif
    float broad = max(normal_dot_half, 0.0);
    broad *= broad;
    broad *= broad;
    broad *= broad;
    broad *= broad;
    float sharp = broad * broad;
    sharp *= sharp;
    sharp *= sharp;
    float specular = sqrt((strength.x * broad + strength.y * sharp) * clamp(4.0 * normal_dot_light, 0.0, 1.0));
    float code = max(0.5 + 0.5 * normal_dot_light, 1.0 / 255.0);
#ifdef GRAY
    surface = vec4(sqrt(surface_albedo.x), surface_albedo.y, specular, code);
#else
    surface = vec4(sqrt(surface_albedo), code);
    sheen = specular;
#endif
}
