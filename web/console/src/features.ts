/** What the matcher judges a candidate by, in words: a label and what the number means. */
const FEATURES: Record<string, [label: string, meaning: string]> = {
  kriging: ["核估计", "由最相近的标准问与相似问推算，本条目所占的份额"],
  kriging_lead: ["核估计领先", "核估计比其他条目中最好的高多少"],
  similarity: ["语义相似", "与本条目最接近的一个问法的语义相似度"],
  similarity_lead: ["语义领先", "语义相似比其他条目中最好的高多少"],
  consensus: ["问法一致", "与本条目最接近的三个问法的平均相似度"],
  characters: ["字面相似", "用字与二字词的重合程度，少见的字权重更高"],
  characters_lead: ["字面领先", "字面相似比其他条目中最好的高多少"],
  asked: ["问句词命中", "问题里的词有多少出现在条目的问法中"],
  told: ["问法词命中", "条目问法里的词有多少出现在问题中"],
  answer: ["答案词命中", "问题里的词有多少出现在答案中"],
  numbers: ["数字一致", "1 表示问题里的数量都在条目中，-1 表示都不在，0 表示没有数量"],
  scene: ["场景匹配", "1 表示正是所在页面与节点，0.5 表示同一页面"],
};

export const featureLabel = (name: string) => FEATURES[name]?.[0] ?? name;
export const featureMeaning = (name: string) => FEATURES[name]?.[1] ?? name;
