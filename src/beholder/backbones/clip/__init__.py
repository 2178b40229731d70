"""clip: pictures and texts in one space. What the methods of the CLIP side stand on.

How a method uses it (all of it pure functions on a frozen `Network`):

    loaded = loading.load(file_or_folder, torch.float32)     # OpenAI's or transformers' names
    loaded.network, loaded.tokens, loaded.rest               # rest: prompts, adapters, heads

    network.see(net, pixels, places="grid")                  # pictures -> features, not normalised
    embedded = network.embed(net, pixels)                    # tokens before the first layer
    for states in prompting.vision_states(net, embedded, {layer: prompts}): ...
        # tokens before the first and after every layer, without the prompts' slots;
        # then net.vision_model.post_layernorm and net.visual_projection, or a method's own

    read = loaded.tokens.read(texts)                         # read.ids, read.ends
    embedded = network.words(net, read.ids)                  # without positions
    embedded = prompting.with_context(embedded, context, names, place)   # ends move by its length
    prompting.text_features(net, embedded, ends, {layer: prompts})   # layers from 1; not normalised

    net.logit_scale.exp() * network.cosines(pictures, texts)
"""
