import { serve } from "../provider/server";
import { randomPlugin } from "./plugin";

serve(randomPlugin());
