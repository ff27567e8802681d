// One person as a mesh, turned with the mouse, a finger or the arrow keys.

import * as THREE from "three";
import { OrbitControls } from "./vendor/three/examples/jsm/controls/OrbitControls.js";
import { GLTFLoader } from "./vendor/three/examples/jsm/loaders/GLTFLoader.js";

const STEP = 0.12; // radians per press of an arrow key
let shown = null; // there is one renderer: browsers allow few

/** Show the GLB file of a person in an element, instead of the person before. */
export async function showHead(place, url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error((await answer.json()).error);
  const { scene: head } = await new GLTFLoader().parseAsync(await answer.arrayBuffer(), "");
  shown?.close();
  shown = new Head(place, head);
}

class Head {
  constructor(place, head) {
    try {
      this.renderer = new THREE.WebGLRenderer({ antialias: true, alpha: true });
    } catch {
      throw new Error("expected a browser with WebGL, found none: switch hardware acceleration on.");
    }
    this.canvas = this.renderer.domElement;
    Object.assign(this.canvas, { tabIndex: 0 });
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "The person's head in 3D; arrow keys turn it");
    place.replaceChildren(this.canvas);
    this.scene = new THREE.Scene();
    const sphere = new THREE.Box3().setFromObject(head).getBoundingSphere(new THREE.Sphere());
    this.camera = new THREE.PerspectiveCamera(20, 1, sphere.radius / 10, sphere.radius * 30);
    this.camera.position.copy(sphere.center).add(new THREE.Vector3(0.9, 0.25, 5.2).multiplyScalar(sphere.radius));
    const light = new THREE.DirectionalLight(0xffffff, 2.6);
    light.position.set(-0.6, 0.6, 1);
    this.camera.add(light, light.target);
    this.scene.add(head, this.camera, new THREE.AmbientLight(0xffffff, 0.9));
    this.controls = new OrbitControls(this.camera, this.canvas);
    this.controls.target.copy(sphere.center);
    this.controls.enablePan = false;
    this.controls.addEventListener("change", () => this.draw());
    this.canvas.addEventListener("keydown", (event) => this.turn(event));
    this.watch = new ResizeObserver(() => this.fit(place));
    this.watch.observe(place);
    this.controls.update();
    this.fit(place);
  }

  fit(place) {
    const side = Math.max(120, Math.min(place.clientWidth, 420));
    this.renderer.setPixelRatio(Math.min(2, devicePixelRatio));
    this.renderer.setSize(side, side);
    this.draw();
  }

  turn(event) {
    const [around, up] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [];
    if (around === undefined) return;
    event.preventDefault();
    const offset = this.camera.position.clone().sub(this.controls.target);
    const place = new THREE.Spherical().setFromVector3(offset);
    place.theta -= around;
    place.phi = Math.min(Math.PI - 0.1, Math.max(0.1, place.phi + up));
    this.camera.position.setFromSpherical(place).add(this.controls.target);
    this.controls.update();
    this.draw();
  }

  draw() {
    this.renderer.render(this.scene, this.camera);
    this.canvas.dataset.drawn = String(1 + Number(this.canvas.dataset.drawn ?? 0));
  }

  close() {
    this.watch.disconnect();
    this.controls.dispose();
    this.renderer.dispose();
    this.canvas.remove();
  }
}
