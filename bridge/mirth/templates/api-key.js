post.setHeader('X-Api-Key', String(configurationMap.get(@{key})));
