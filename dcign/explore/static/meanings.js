// What factors and blocks stand for, in words.

const FACTORS = {
  azimuth: "turns the head left and right",
  elevation: "raises and lowers the camera",
  light_azimuth: "moves the light left and right",
  light_elevation: "raises and lowers the light",
  distance: "moves the camera away",
  field_of_view: "widens the lens",
  light_to_ambient: "how strong the light is beside the light from all around",
  age: "makes the same person older: skin, and greyer hair",
  sex: "from typical women to typical men: form, skin and a little of the hair",
};

const BLOCKS = {
  shape: "the form of the head and the face",
  skin: "the colour of skin, lips and brows, freckles and beard",
  hair: "cut, length and colour of the hair",
  identity: "everything about the person that no factor describes",
  code: "everything that no factor describes; this network keeps no order in it",
};

export const meaningOf = (name) => FACTORS[name] ?? BLOCKS[name] ?? `changes the ${name.replaceAll("_", " ")}`;
