import { serve } from "../provider/server";
import { dockerPlugin } from "./plugin";

serve(dockerPlugin());
