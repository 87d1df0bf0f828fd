/** Gives the wasm engine its decoder in a browser: the bundler has put iced-x86 and its wasm file beside this module. */
import iced from "iced-x86";
import { provideDecoder } from "../emulator/wasm/decode.ts";

provideDecoder(iced);
